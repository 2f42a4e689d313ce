import { createServer } from 'node:http';
import { populationOf } from '../../dist/bench/population.js';

/** What the peers' processes share: the least of a server around them, so that it is not that which is measured. */

/** The directories that are wanted, by their people. */
export const populations = () => process.env.USERS.split(',').map((users) => populationOf(Number(users)));

/** Serves on a free port and tells the benchmark, with what else it has to know. */
export function serve(listener, told) {
  const server = createServer(listener);
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port, ...told }));
  process.on('disconnect', () => process.exit());
}

export async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? undefined : Buffer.concat(chunks).toString();
}
