import { once } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import type { BodyBounds } from '../../src/http/plugins/large-bodies.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { type Client, GROUP, newClient, PATCH_OP, SCIM } from '../support/client.ts';
import { connectTo, readUntil, requestText } from '../support/raw-http.ts';
import { lockOf } from '../support/row-lock.ts';

/** Bodies that are read by turns. What a test waits for, it asks for until it is so. */

const LONG = 60_000;
/** One large body at a time, and nobody waits. */
const ONE: BodyBounds = {
  sizeable: 1_000,
  large: 4_000,
  turns: { sizeable: 8, large: 1 },
  patience: 1,
  pace: { bytes: 1, milliseconds: LONG },
};
const withLarge = (large: number): BodyBounds => ({ ...ONE, turns: { ...ONE.turns, large } });

const BODY = JSON.stringify({ schemas: [GROUP], displayName: 'Analysts' });
const LARGE = BODY.padEnd(5_000);

/** A client with a group, and ways to replace it. */
async function replacer(app: TestApp) {
  const client: Client = await newClient(app);
  const { id } = await client.group('Analysts');
  const path = `${SCIM}/Groups/${id}`;
  const put = async (body = LARGE) => client.ask('PUT', `/Groups/${id}`, body);
  return {
    ...client,
    id,
    path,
    put,
    /** Begins to send a large body. */
    async begin(length: number | 'chunked' = LARGE.length, body = LARGE.slice(0, 4_500)): Promise<Socket> {
      const socket = await connectTo(app);
      const arrived = once(app.app.server, 'request');
      socket.write(requestText('PUT', path, { key: client.key, body, length }));
      await arrived;
      // What comes behind it with the same key is let in behind it.
      await client.ask('GET', `/Groups/${id}`);
      return socket;
    },
    async untilItIs(status: number): Promise<void> {
      while ((await put()).status !== status);
    },
  };
}

t.test('large bodies of a tenant that are being sent leave a turn to another', async (t) => {
  const app = await startApp(t, { bounds: { bodies: withLarge(2) } });
  const [a, b, c] = [await replacer(app), await replacer(app), await replacer(app)];
  const ofA = await a.begin();
  await a.untilItIs(503);
  t.match(await a.put(), {
    status: 503,
    headers: { 'retry-after': '2' },
    body: { status: '503', detail: /large bodies/ },
  });
  t.equal((await b.put()).status, 200, 'there is one for another tenant');
  const ofB = await b.begin();
  await b.untilItIs(503);
  t.equal((await c.put()).status, 503, 'there is none left');
  t.equal((await c.put(BODY.padEnd(3_000))).status, 200, 'but for bodies that are not as large');
  t.equal((await c.put(BODY)).status, 200, 'and small ones take none');
  ofA.destroy();
  await c.untilItIs(200);
  t.equal((await b.put()).status, 503);
  ofB.write(LARGE.slice(4_500));
  t.match(await readUntil(ofB, /\}$/), /^HTTP\/1\.1 200/, 'what was begun is finished');
  ofB.destroy();
  await b.untilItIs(200);
});

t.test('whoever waits is served when a turn comes back', async (t) => {
  const app = await startApp(t, { bounds: { bodies: { ...ONE, patience: LONG } } });
  const [a, b] = [await replacer(app), await replacer(app)];
  const first = await a.begin();
  const waiting = [a.put(), b.put(), a.put(), b.put()];
  first.write(LARGE.slice(4_500));
  t.match(await readUntil(first, /\}$/), /^HTTP\/1\.1 200/);
  first.destroy();
  t.same(
    (await Promise.all(waiting)).map(({ status }) => status),
    [200, 200, 200, 200],
  );
});

t.test('a turn is given back once, however a request ends', async (t) => {
  const app = await startApp(t, { bounds: { bodies: ONE } });
  const [a, b] = [await replacer(app), await replacer(app)];
  /** The status of what is sent in one chunk. */
  const chunked = async (body: string): Promise<string> => {
    const socket = await a.begin('chunked', body);
    socket.write('0\r\n\r\n');
    const text = await readUntil(socket, /\}$/);
    socket.destroy();
    return text.slice(9, 12);
  };
  const endings: Record<string, () => Promise<unknown>> = {
    'as it should': async () => t.equal((await a.put()).status, 200),
    'what it asks for is not there': async () =>
      t.equal((await a.ask('PUT', '/Groups/nobody', LARGE)).status, 404),
    'no JSON': async () => t.equal((await a.put('{'.padEnd(5_000))).status, 400),
    'another media type': async () =>
      t.equal((await a.ask('PUT', `/Groups/${a.id}`, LARGE, { 'content-type': 'text/plain' })).status, 415),
    'no length, and short': async () => t.equal(await chunked(BODY), '200'),
    'no length, and large': async () => t.equal(await chunked(LARGE), '200'),
    'no length, and no JSON': async () => t.equal(await chunked(LARGE.replace('}', ']')), '400'),
    'the sender goes away': async () => {
      const socket = await a.begin();
      await b.untilItIs(503);
      socket.destroy();
    },
    'the sender goes away, who had not said the length': async () => {
      const socket = await a.begin('chunked');
      await b.untilItIs(503);
      socket.destroy();
    },
  };
  for (const [ending, end] of Object.entries(endings)) {
    await end();
    await b.untilItIs(200);
    const other = await a.begin();
    await b.untilItIs(503);
    t.pass(`${ending}: there is one again, and no more`);
    other.destroy();
    await b.untilItIs(200);
  }
});

t.test('who has gone away keeps the turn as long as the request is carried out', async (t) => {
  const app = await startApp(t, { bounds: { bodies: ONE } });
  const [a, b] = [await replacer(app), await replacer(app)];
  const holder = await lockOf(t, app, 'scim_group', a.id);
  const gone = once(app.app.server, 'connection').then(([socket]) => once(socket, 'close'));
  const socket = await a.begin(LARGE.length, LARGE);
  t.equal((await b.put()).status, 503);
  socket.destroy();
  await gone;
  t.equal((await b.put()).status, 503);
  await holder.query('rollback');
  await b.untilItIs(200);
});

t.test('what is sent behind another request gives its turn back when the connection ends', async (t) => {
  const app = await startApp(t, { bounds: { bodies: ONE } });
  const [a, b] = [await replacer(app), await replacer(app)];
  const { id: user } = await a.user('held');
  const holder = await lockOf(t, app, 'scim_user', user);
  const body = JSON.stringify({
    schemas: [PATCH_OP],
    Operations: [{ op: 'replace', path: 'title', value: 'x' }],
  });
  const socket = await connectTo(app);
  const before = once(app.app.server, 'request');
  socket.write(requestText('PATCH', `${SCIM}/Users/${user}`, { key: a.key, body }));
  await before;
  const behind = once(app.app.server, 'request');
  socket.write(requestText('PUT', a.path, { key: a.key, body: LARGE }));
  await behind;
  await a.ask('GET', `/Groups/${a.id}`);
  t.equal((await b.put()).status, 503);
  socket.destroy();
  await b.untilItIs(200);
  await holder.query('rollback');
});

t.test('who sends too slowly is cut off', async (t) => {
  const app = await startApp(t, {
    bounds: { bodies: { ...ONE, pace: { bytes: 1_000_000, milliseconds: 1 } } },
  });
  const a = await replacer(app);
  const socket = await a.begin();
  t.match(await readUntil(socket, /never/), /^HTTP\/1\.1 408/);
  await a.untilItIs(200);
});

t.test('whose body is small may take their time, also where they do not say how small it is', async (t) => {
  const pace = { bytes: 1_000_000, milliseconds: 1 };
  const app = await startApp(t, { bounds: { bodies: { ...ONE, pace } } });
  const { begin, ask, id } = await replacer(app);
  const socket = await begin('chunked', BODY);
  for (let n = 0; n < 5; n += 1) await ask('GET', `/Groups/${id}`);
  socket.write('0\r\n\r\n');
  t.match(await readUntil(socket, /\r\n\r\n/), /^HTTP\/1\.1 200/);
  socket.destroy();
});

t.test('a body that nobody asked for is not read', async (t) => {
  const app = await startApp(t, { rate: { perSecond: 1, burst: 2 }, now: () => new Date(0) });
  const { send } = app;
  const body = '{"broken'.padEnd(3_000_000);
  for (const path of ['/nothing', '/api/nothing', `${SCIM}/Nothing`, '/api/scim/nothing/Nothing'])
    t.equal((await send('POST', path, { body })).status, 404, path);
  for (const path of ['/api/admin/v1/nothing', '/api/v1/nothing', '/jit/nothing'])
    t.equal((await send('POST', path, { key: app.operatorKey, body })).status, 404, path);
});

t.test('unknown paths and versions count for the rate of the key', async (t) => {
  for (const path of [`${SCIM}/Nothing`, '/api/scim/v1/Users']) {
    const app = await startApp(t, { rate: { perSecond: 1, burst: 2 }, now: () => new Date(0) });
    const key = await app.scimKey(await app.createTenant());
    const statuses = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await app.send('GET', path, { key })).status);
    t.equal(statuses.at(-1), 429, path);
  }
});
