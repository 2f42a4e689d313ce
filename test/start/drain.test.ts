import { once } from 'node:events';
import { connect } from 'node:net';
import fastify from 'fastify';
import t from 'tap';
import { closeWithin } from '../../src/start/drain.ts';

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
