import t from 'tap';
import { startApp } from '../support/app.ts';
import { clientOf, type ErrorBody, GROUP, SCIM, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** Text of any script, several tenants, and what must not be seen (RFC 7644 sections 5 to 7, RFC 7643 section 9). */

const log: string[] = [];
const app = await startApp(t, { onLog: (line) => void log.push(line) });
const tenant = await app.createTenant();
const client = clientOf(app, await app.scimKey(tenant));

meets(t, [276], 'names that PRECIS holds for one are one', async (t) => {
  const names: readonly [name: string, ...same: string[]][] = [
    ['José@x.example', 'jose\u0301@x.example', 'JOSÉ@X.EXAMPLE'],
    ['alice', 'ＡＬＩＣＥ', 'Alice'],
    ['Σίσυφος', 'ΣΊΣΥΦΟΣ', 'σίσυφοσ'],
    ['ﾊﾝｶｸ', 'ハンカク'],
  ];
  for (const [name, ...others] of names) {
    const { id, userName } = await client.user(name);
    t.equal(userName, name, 'it comes back as it was sent');
    for (const other of others) {
      const again = await client.ask('POST', '/Users', { schemas: [USER], userName: other });
      t.match(again, { status: 409, body: { scimType: 'uniqueness' } }, other);
      t.match((await client.list('/Users', `userName eq "${other}"`)).body, {
        totalResults: 1,
        Resources: [{ id }],
      });
    }
  }
  for (const different of ['jose@x.example', 'alicé']) t.ok((await client.user(different)).id, different);
});

meets(t, [277], 'filters compare prepared text, whatever its form', async (t) => {
  await client.user('accents', { displayName: 'Zoe\u0308 Ａ', title: 'ÜBER', externalId: 'Ext-É' });
  const found = async (filter: string) =>
    (await client.list('/Users', `userName eq "accents" and ${filter}`)).body.totalResults;
  const filters = [
    'displayName eq "Zoë a"',
    'displayName co "OË"',
    'title sw "u\u0308b"',
    'title ew "ｂER"',
    'externalId eq "Ext-É"',
  ];
  for (const filter of filters) t.equal(await found(filter), 1, filter);
  for (const filter of ['title eq "uber"', 'externalId eq "ext-é"']) t.equal(await found(filter), 0, filter);
});

meets(t, [278, 279, 281, 282], 'the key says which tenant, and names and ids stay in it', async (t) => {
  const other = clientOf(app, await app.scimKey(await app.createTenant()));
  const body = { externalId: 'same', emails: [{ value: 'same@x.example' }] };
  const mine = await client.user('shared', body);
  const theirs = await other.user('shared', body);
  t.not(mine.id, theirs.id);
  await client.group('Shared');
  t.ok((await other.group('Shared')).id, 'the same name in another tenant');
  t.ok((await client.user('shared-2', body)).id, 'externalId is not even unique in its own');
  for (const [from, own] of [
    [client, mine],
    [other, theirs],
  ] as const) {
    const { body: list } = await from.list('/Users', 'userName eq "shared"');
    t.match(list, { totalResults: 1, Resources: [{ id: own.id }] });
    const taken = await from.ask('POST', '/Users', { schemas: [USER], userName: 'SHARED' });
    t.match(taken, { status: 409, body: { scimType: 'uniqueness' } }, 'but not twice in one');
  }
});

meets(t, [280], 'naming a tenant opens none: the credential goes first', async (t) => {
  const other = await app.createTenant();
  const theirs = await clientOf(app, await app.scimKey(other)).user('theirs');
  const named = { 'x-tenant': other.name, 'x-tenant-id': other.id, 'tenant-id': other.id };
  const path = `/Users/${theirs.id}`;
  t.equal((await client.ask('GET', path, undefined, named)).status, 404);
  t.equal((await client.ask('GET', `${path}?tenant=${other.name}`)).status, 404);
  const administrator = (await app.apiKey(tenant, ['admin'])).key;
  const foreign = await app.send('GET', `/api/admin/v1/tenants/${other.name}`, { key: administrator });
  const missing = await app.send('GET', '/api/admin/v1/tenants/no-such-tenant', { key: administrator });
  t.same([foreign.status, missing.status], [404, 404], 'where the path names one, only its own is there');
  t.equal(
    (await app.send('GET', `${SCIM}/Users`, { key: app.operatorKey })).status,
    403,
    'nor is an operator a client',
  );
});

meets(t, [283], 'nothing in one tenant leads to a person in another, or in another directory', async (t) => {
  const other = await app.createTenant();
  const person = { externalId: 'person-1', emails: [{ value: 'person@x.example' }] };
  const here = await client.user('person', person);
  const there = await clientOf(app, await app.scimKey(other)).user('person', person);
  const values = (resource: object) => new Set(JSON.stringify(resource).match(/[0-9a-f]{8}-[0-9a-f-]{27}/g));
  t.same(
    [...values(here)].filter((value) => values(there).has(value)),
    [],
    'no identifier of ours in common',
  );

  await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'second' });
  const second = clientOf(app, await app.scimKey(tenant, 'second'));
  t.equal((await second.list('/Users', 'externalId eq "person-1"')).body.totalResults, 0);
  const unknown = await second.ask<ErrorBody>('GET', '/Users/0190a000-0000-7000-8000-000000000000');
  const hidden = await second.ask<ErrorBody>('GET', `/Users/${here.id}`);
  t.same(hidden.body, unknown.body, 'and what is hidden answers like what is not there');
});

meets(t, [284], 'a password is nowhere in the database, in answers or in the log', async (t) => {
  const password = 'Correct-Horse-7731';
  const { id } = await client.user('with-password', { password });
  const answers = [
    await client.ask('GET', `/Users/${id}?attributes=password`),
    await client.patch(`/Users/${id}`, [{ op: 'replace', path: 'password', value: password }]),
    await client.patch(`/Users/${id}`, [{ op: 'replace', value: { password, title: 'T' } }]),
    await client.ask('PUT', `/Users/${id}`, { schemas: [USER], userName: 'with-password', password }),
  ];
  for (const answer of answers) {
    t.equal(answer.status, 200);
    t.notMatch(answer.text, /"password"|Correct-Horse/);
  }
  t.same(await tablesWith(password), []);
  t.notOk(log.some((line) => line.includes(password)));
});

meets(t, [285], 'text stays text, keys are kept as hashes, and guessing them is hopeless', async (t) => {
  const hostile = ["'; drop table scim_user; --", '" or "1" eq "1', '{{7*7}}', '%', '_', '\\', '{"a":1}'];
  for (const text of hostile) {
    const { id } = await client.user(text, { title: text });
    for (const name of ['userName', 'title']) {
      const { body } = await client.list('/Users', `${name} eq ${JSON.stringify(text)}`);
      t.match(body, { totalResults: 1, Resources: [{ id, [name]: text }] }, `${name} ${text}`);
    }
  }
  const { key } = await app.apiKey(tenant, ['scim'], { directory: 'default' });
  const [, , secret = ''] = key.split('_');
  t.ok(secret.length >= 32, 'at least 128 bits, whatever the alphabet');
  t.same(await tablesWith(secret), []);
  const broken = `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`;
  t.equal((await app.send('GET', `${SCIM}/Users`, { key: broken })).status, 401);
});

meets(t, [286], 'a key does what its scopes and its directory allow, and no more', async (t) => {
  for (const scope of ['read', 'jit', 'admin'] as const) {
    const { key } = await app.apiKey(tenant, [scope]);
    t.match(await app.send('GET', `${SCIM}/Users`, { key }), { status: 403, body: { status: '403' } }, scope);
  }
  await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'third' });
  const third = clientOf(app, await app.scimKey(tenant, 'third'));
  const { id } = await client.user('of the first');
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'] as const) {
    const body = { schemas: [USER], userName: 'x', Operations: [{ op: 'remove', path: 'title' }] };
    const sent =
      method === 'PATCH' ? { ...body, schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'] } : body;
    t.equal((await third.ask(method, `/Users/${id}`, sent)).status, 404, method);
  }
  const member = await third.ask('POST', '/Groups', {
    schemas: [GROUP],
    displayName: 'G',
    members: [{ value: id }],
  });
  t.match(member, { status: 400, body: { scimType: 'invalidValue' } }, 'nor may it be named as a member');
});

meets(
  t,
  [287],
  'what is said of a person is neither in the log nor in what is kept of a refused request',
  async (t) => {
    const person = {
      displayName: 'Rumpelstilz',
      emails: [{ value: 'rumpel@x.example' }],
      phoneNumbers: [{ value: '+49-1' }],
    };
    const { id } = await client.user('rumpelstilz@x.example', person);
    await client.list('/Users', 'displayName eq "Rumpelstilz"');
    await client.ask('POST', '/Users', { schemas: [USER], userName: 'rumpelstilz@x.example', ...person });
    await client.patch(`/Users/${id}`, [
      { op: 'add', path: 'emails[value eq "rumpel@x.example"].shoe', value: 'x' },
    ]);
    await client.list('/Users', 'emails.shoe eq "rumpel@x.example"');
    await app.flushClients();
    const refused = await app.admin<{ refusedRequests: object[] }>(
      'GET',
      `/tenants/${tenant.id}/refused-requests`,
    );
    t.match(refused.body.refusedRequests.slice(0, 3), [
      { scimType: 'invalidFilter' },
      { scimType: 'invalidPath' },
      { scimType: 'uniqueness' },
    ]);
    t.ok(log.length > 0);
    const lines = [...log, ...refused.body.refusedRequests.map((each) => JSON.stringify(each))];
    t.same(
      lines.filter((line) => /rumpel|\+49-1/i.test(line)),
      [],
    );
  },
);

/** The tables with a row that has this text anywhere. */
async function tablesWith(text: string): Promise<string[]> {
  const { pool } = app.context.db;
  const { rows } = await pool.query<{ name: string }>(
    `select format('%I', tablename) as name from pg_tables where schemaname = 'public'`,
  );
  const found: string[] = [];
  for (const { name } of rows) {
    const { rowCount } = await pool.query(
      `select 1 from ${name} as r where position($1 in r::text) > 0 limit 1`,
      [text],
    );
    if (rowCount) found.push(name);
  }
  return found;
}
