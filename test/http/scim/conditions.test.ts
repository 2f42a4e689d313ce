import t from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf, type ErrorBody, GROUP, type List, USER } from '../../support/client.ts';

/** Conditions that a request carries, and what is too much of a resource or of a page. */

const app = await startApp(t);
const newClient = async () => clientOf(app, await app.scimKey(await app.createTenant()));

t.test('RFC 9110 §13.1 conditions hold for reads and writes alike', async (t) => {
  const client = await newClient();
  const user = await client.user('cond');
  const group = await client.group('Conditions');
  const rename = [{ op: 'replace', path: 'displayName', value: 'x' }];
  for (const [path, body] of [
    [`/Users/${user.id}`, { schemas: [USER], userName: 'cond', title: 'x' }],
    [`/Groups/${group.id}`, { schemas: [GROUP], displayName: 'Conditions', externalId: 'x' }],
  ] as const) {
    for (const tags of ['*', 'W/"1"', '"7", W/"1"']) {
      const unwanted = { 'if-none-match': tags };
      t.equal((await client.ask('PUT', path, body, unwanted)).status, 412, `PUT ${tags}`);
      t.equal((await client.patch(path, rename, unwanted)).status, 412, `PATCH ${tags}`);
      t.equal((await client.ask('DELETE', path, undefined, unwanted)).status, 412, `DELETE ${tags}`);
    }
    t.equal((await client.ask('GET', path, undefined, { 'if-match': 'W/"99"' })).status, 412);
    t.equal((await client.ask('GET', path, undefined, { 'if-match': 'W/"1"' })).status, 200);
    t.match((await client.ask('GET', path)).body.meta.version, /^W\/"1/, 'nothing was written');
    t.equal((await client.ask('PUT', path, body, { 'if-none-match': 'W/"99"' })).status, 200);
    t.equal((await client.ask('DELETE', path, undefined, { 'if-none-match': 'W/"1"' })).status, 204);
  }
  const nobody = '/Users/01a20074-5db5-767c-b61a-72e9fc914e0b';
  t.equal((await client.ask('DELETE', nobody, undefined, { 'if-none-match': '*' })).status, 404);
});

t.test('text that takes too long to compare is refused, and a user that is too large to', async (t) => {
  const client = await newClient();
  const create = (displayName: string) =>
    client.ask<ErrorBody>('POST', '/Users', { userName: 'x', displayName });
  const marks = await create(`a${'\u0300\u0316'.repeat(40_000)}`);
  t.match(marks, { status: 400, body: { scimType: 'invalidValue' } });
  t.match(marks.body.detail, /displayName has more than 30 combining marks/);
  const long = await create('\ufdfa'.repeat(200_000));
  t.match(long, { status: 400, body: { scimType: 'invalidValue' } });
  t.match(long.body.detail, /2000000 characters/);
  t.equal((await create(`Z${'\u0300'.repeat(30)}`)).status, 201);
});

t.test('a page has so many bytes at most, and says how to ask for less', async (t) => {
  const client = await newClient();
  const nickName = 'x'.repeat(900_000);
  for (let n = 0; n < 38; n += 1) await client.user(`large-${n}`, { nickName });
  const refused = await client.ask<ErrorBody>('GET', '/Users');
  t.match(refused, { status: 400, body: { scimType: 'tooMany' } });
  t.match(refused.body.detail, /33554432 bytes.*smaller count/);
  const { body } = await client.ask<List>('GET', '/Users?count=30&attributes=userName');
  t.equal(body.Resources.length, 30);
});
