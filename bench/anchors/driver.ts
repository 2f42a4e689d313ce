import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { populationOf, spread, userId, userOf } from '../population.ts';
import { latencyOf } from '../statistics.ts';
import type { Slice } from '../workload.ts';
import { INSERT, SELECT } from './statements.ts';

/** The ceiling of the driver: the statements of the floors in a loop on each connection, without HTTP. */

export interface DriverOrder {
  readonly statement: 'select' | 'insert';
  readonly users: number;
  readonly connections: number;
  readonly milliseconds: number;
}

const clients: pg.Client[] = [];

async function clientOf(lane: number): Promise<pg.Client> {
  const existing = clients[lane];
  if (existing) return existing;
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  clients[lane] = client;
  return client;
}

async function run({ statement, users, connections, milliseconds }: DriverOrder): Promise<Slice> {
  const population = populationOf(users);
  const lanes = await Promise.all(Array.from({ length: connections }, (_, lane) => clientOf(lane)));
  const latencies: number[] = [];
  let failures = 0;
  const begin = performance.now();
  await Promise.all(
    lanes.map(async (client, lane) => {
      for (let turn = lane; performance.now() - begin < milliseconds; turn += connections) {
        const started = performance.now();
        const { rowCount } = await client.query(
          statement === 'select'
            ? { ...SELECT, values: [userId(population, spread(population, turn))] }
            : { ...INSERT, values: [randomUUID(), JSON.stringify(userOf(population, turn))] },
        );
        latencies.push(performance.now() - started);
        if (rowCount !== 1) failures += 1;
      }
    }),
  );
  return {
    milliseconds: performance.now() - begin,
    count: latencies.length,
    failures,
    ...latencyOf(latencies),
  };
}

process.on('message', (order: DriverOrder) => {
  void run(order).then((slice) => process.send?.(slice));
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
