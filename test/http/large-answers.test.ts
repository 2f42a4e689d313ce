import { once } from 'node:events';
import t, { type Test } from 'tap';
import type { AnswerBounds } from '../../src/http/plugins/large-answers.ts';
import { startApp } from '../support/app.ts';
import { newClient, PATCH_OP, SCIM, USER } from '../support/client.ts';
import { connectTo, readUntil, requestText } from '../support/raw-http.ts';
import { lockOf } from '../support/row-lock.ts';

/** Answers that nobody takes. They wait behind another answer of their connection, which waits for a lock. */

const BOUNDS: AnswerBounds = {
  large: 1_000,
  bytes: 5_000,
  time: { milliseconds: 60_000, bytesEach: 1 },
};

async function waitingReader(t: Test, answers: AnswerBounds) {
  const app = await startApp(t, { bounds: { answers } });
  const [client, other] = [await newClient(app), await newClient(app)];
  const title = 'x'.repeat(2_500);
  const [held, { id }, { id: ofOther }] = [
    await client.user('held'),
    await client.user('large', { title }),
    await other.user('large', { title }),
  ];
  const holder = await lockOf(t, app, 'scim_user', held.id);
  const Operations = [{ op: 'replace', path: 'title', value: 'x' }];
  const body = JSON.stringify({ schemas: [PATCH_OP], Operations });
  const socket = await connectTo(app);
  const { key } = client;
  const read = async () => (await client.ask('GET', `/Users/${id}`)).status;
  const ask = () => socket.write(requestText('GET', `${SCIM}/Users/${id}`, { key }));
  return {
    client,
    ask,
    socket,
    holder,
    title,
    read,
    readOther: async () => (await other.ask('GET', `/Users/${ofOther}`)).status,
    /** Begins a change that waits, behind which answers wait. */
    begin(): void {
      socket.write(requestText('PATCH', `${SCIM}/Users/${held.id}`, { key, body }));
    },
    /** Asks for the large user behind it, again where the other way of asking had the room just then. */
    async untilThereIsNoRoom(): Promise<void> {
      const passBy = () => client.ask('GET', '/Users?attributes=userName');
      const isFull = async () => {
        await passBy();
        return (await read()) === 503;
      };
      do {
        const arrived = once(app.app.server, 'request');
        ask();
        await arrived;
        await passBy();
      } while (!((await isFull()) && (await isFull())));
    },
    async untilItIs(status: number): Promise<void> {
      while ((await read()) !== status);
    },
  };
}

t.test('a tenant whose answers are not taken gets no more of the large ones, and others do', async (t) => {
  const { client, socket, holder, title, begin, untilThereIsNoRoom, untilItIs, readOther } =
    await waitingReader(t, BOUNDS);
  begin();
  await untilThereIsNoRoom();
  t.match(await client.list('/Users', 'userName eq "large"'), {
    status: 503,
    headers: { 'retry-after': '2', etag: undefined },
    body: { status: '503', detail: /large answers/ },
  });
  t.equal(await readOther(), 200);
  t.equal((await client.ask('GET', '/Users?attributes=userName')).status, 200, 'and small ones');
  const created = await client.ask('POST', '/Users', { schemas: [USER], userName: 'new', title });
  t.equal(created.status, 201, 'what was done is told');
  const user = `/Users/${created.body.id}`;
  const changed = await client.patch(user, [
    { op: 'replace', path: 'title', value: title.replace('x', 'y') },
  ]);
  t.equal(changed.status, 200, 'so that nobody does it again');
  await holder.query('rollback');
  t.match(await readUntil(socket, /"userName":"large".*"meta".*\}\}/s), /^HTTP\/1\.1 200.*HTTP\/1\.1 200/s);
  await untilItIs(200);
  socket.destroy();
});

t.test('there is room again when the connection ends', async (t) => {
  const { socket, holder, begin, untilThereIsNoRoom, untilItIs } = await waitingReader(t, BOUNDS);
  begin();
  await untilThereIsNoRoom();
  socket.destroy();
  await untilItIs(200);
  await holder.query('rollback');
});

t.test('who does not take an answer in its time is cut off', async (t) => {
  const time = { milliseconds: 1, bytesEach: 1_000_000 };
  const { socket, begin, ask } = await waitingReader(t, { ...BOUNDS, time });
  begin();
  ask();
  await once(socket.resume(), 'close');
});

t.test('many large answers on one connection are listened for once', async (t) => {
  const app = await startApp(t, { bounds: { answers: { ...BOUNDS, bytes: 1_000_000 } } });
  const { key, user } = await newClient(app);
  const { id } = await user('large', { title: 'x'.repeat(2_500) });
  const warnings: Error[] = [];
  const warned = (warning: Error) => {
    if (warning.name === 'MaxListenersExceededWarning') warnings.push(warning);
  };
  process.on('warning', warned);
  t.teardown(() => process.off('warning', warned));
  const socket = await connectTo(app);
  const last = requestText('GET', `${SCIM}/Nothing`, { key });
  socket.write(requestText('GET', `${SCIM}/Users/${id}`, { key }).repeat(15) + last);
  await readUntil(socket, /HTTP\/1\.1 404/);
  socket.destroy();
  t.same(warnings, []);
});
