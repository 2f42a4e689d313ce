import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import t from 'tap';
import { openLateRefusals } from '../../src/http/plugins/late-refusals.ts';

t.test('who waits for a refusal and goes away makes room at once', async (t) => {
  const refusals = openLateRefusals({ least: 3_600_000, behind: 1, most: 2 });
  const ended: string[] = [];
  const server = createServer((request, response) => {
    void refusals.wait('tenant', request).then(() => {
      ended.push(request.url ?? '');
      response.end();
    });
  });
  t.teardown(() => server.close().closeAllConnections());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (url: string) => {
    const socket = connect(port, '127.0.0.1');
    const asked = once(server, 'request');
    socket.write(`GET ${url} HTTP/1.1\r\nhost: rollcall.test\r\n\r\n`);
    await asked;
    return socket;
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const [one, two] = [await ask('/one'), await ask('/two')];
  t.equal(refusals.waiting, 2);
  await ask('/too-many');
  await turn();
  t.same(ended, ['/too-many'], 'further ones do not wait');
  one.destroy();
  two.destroy();
  while (refusals.waiting > 0) await turn();
  t.equal(ended.length, 1, 'and whoever has gone is not answered');
  await ask('/later');
  await turn();
  t.equal(refusals.waiting, 1, 'there is room to wait again');
});
