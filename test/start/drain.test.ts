import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fastify, { type FastifyInstance } from 'fastify';
import t from 'tap';
import { closeWithin, makeDrain } from '../../src/start/drain.ts';

t.test('a request that is never sent to its end does not keep the application open', async (t) => {
  const app = fastify();
  app.get('/', async () => 'ok');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = new URL(app.listeningOrigin);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost');
  await once(app.server, 'connection');
  const cut = once(socket, 'close');
  await closeWithin(app, 50);
  await cut;
  t.pass('both have ended');
});

/** Asks twice on one connection, and ends it before the first is answered. The second answer, which is never sent. */
async function unsent(app: FastifyInstance): Promise<WeakRef<object>> {
  let end = () => {};
  const first = new Promise<void>((resolve) => {
    end = resolve;
  });
  app.get('/first', () => first);
  const second = new Promise<WeakRef<object>>((resolve) => {
    app.get('/second', async (_request, reply) => {
      resolve(new WeakRef(reply.raw));
      return 'ok';
    });
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const accepted = once(app.server, 'connection') as Promise<[Socket]>;
  const socket = connect(Number(new URL(app.listeningOrigin).port), '127.0.0.1');
  const [theirs] = await accepted;
  for (const path of ['/first', '/second']) socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const answer = await second;
  const closed = once(theirs, 'close');
  socket.destroy();
  await closed;
  end();
  return answer;
}

t.test('an answer that waits behind another on a connection that has ended is let go', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const app = fastify();
  t.teardown(() => app.close());
  makeDrain(app.server);
  const answer = await unsent(app);
  for (let turns = 0; turns < 50 && answer.deref() !== undefined; turns += 1) {
    await turn();
    collect();
  }
  t.equal(typeof answer.deref(), 'undefined');
});
