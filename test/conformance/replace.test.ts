import t from 'tap';
import { startApp } from '../support/app.ts';
import { type Client, clientOf, ENTERPRISE, type ErrorBody, GROUP, USER } from '../support/client.ts';
import { meets, withEach } from '../support/conformance.ts';

/** PUT (RFC 7644 section 3.5.1). */

const app = await startApp(t);
const lenient = clientOf(app, await app.scimKey(await app.createTenant()));
const strict = clientOf(app, await app.scimKey(await app.createTenant({ strictScim: true })));
const both = { lenient, strict };

const attributes = {
  externalId: 'E',
  name: { givenName: 'G', familyName: 'F' },
  title: 'T',
  emails: [{ value: 'a@work.example', type: 'work' }],
  [ENTERPRISE]: { department: 'D', costCenter: 'C' },
};

const replace = (client: Client, id: string, body: object) =>
  client.ask('PUT', `/Users/${id}`, { schemas: [USER], ...body });

meets(t, [173, 174, 181], 'PUT replaces the values given, and answers the whole resource', (t) =>
  withEach(t, both, async (t, client) => {
    const { id, meta } = await client.user('replaced', attributes);
    const next = {
      userName: 'replaced-2',
      externalId: 'E2',
      name: { formatted: 'G2 F2' },
      title: 'T2',
      active: false,
      emails: [{ value: 'b@home.example', type: 'home', primary: true }],
      [ENTERPRISE]: { department: 'D2' },
    };
    const { status, body, headers } = await replace(client, id, { ...next, schemas: [USER, ENTERPRISE] });
    t.match(
      { status, headers },
      { status: 200, headers: { etag: 'W/"2"', 'content-location': meta.location } },
    );
    const { meta: after, ...answered } = body;
    t.same(answered, { schemas: [USER, ENTERPRISE], id, ...next });
    t.match(after, {
      resourceType: 'User',
      created: meta.created,
      location: meta.location,
      version: 'W/"2"',
    });
    t.same((await client.ask('GET', `/Users/${id}`)).body, body);
  }),
);

meets(t, [175, 176], 'what is left out is cleared, and so are null and []', (t) =>
  withEach(t, both, async (t, client) => {
    const nothing = { externalId: null, name: null, title: null, emails: [], [ENTERPRISE]: null };
    for (const body of [{}, nothing]) {
      const userName = `cleared-${Object.keys(body).length}`;
      const { id } = await client.user(userName, { ...attributes, active: false });
      const { status, body: answered } = await replace(client, id, { userName, ...body });
      t.equal(status, 200);
      t.same(Object.keys(answered).sort(), ['active', 'id', 'meta', 'schemas', 'userName']);
      t.equal(answered.active, false, 'but nobody comes back in by being left out');
    }
  }),
);

meets(t, [179], 'values of readOnly attributes are ignored', (t) =>
  withEach(t, both, async (t, client) => {
    const user = await client.user('read-only', attributes);
    const group = await client.group('Of the user', [user.id]);
    const { body: before } = await client.ask('GET', `/Users/${user.id}`);
    const { status, body } = await client.ask('PUT', `/Users/${user.id}`, {
      ...before,
      id: group.id,
      groups: [{ value: 'other' }],
      meta: {
        resourceType: 'Group',
        created: '2001-01-01T00:00:00Z',
        location: 'https://x.example',
        version: 'x',
      },
    });
    t.equal(status, 200);
    t.same(body, before, 'not even a new version');
  }),
);

meets(t, [180], 'required attributes must be there, and keep what is stored when they are not', (t) =>
  withEach(t, both, async (t, client) => {
    const user = await client.user('required', { title: 'T' });
    const group = await client.group('Required');
    const cases: readonly [path: string, body: object][] = [
      [`/Users/${user.id}`, { schemas: [USER], title: 'U' }],
      [`/Users/${user.id}`, { schemas: [USER], title: 'U', userName: null }],
      [`/Groups/${group.id}`, { schemas: [GROUP], externalId: 'x' }],
      [`/Groups/${group.id}`, { schemas: [GROUP], displayName: null }],
    ];
    for (const [path, body] of cases) {
      const answer = await client.ask<ErrorBody>('PUT', path, body);
      t.match(
        answer,
        { status: 400, body: { scimType: 'invalidValue', detail: /required/ } },
        JSON.stringify(body),
      );
    }
    t.same((await client.ask('GET', `/Users/${user.id}`)).body, user);
    t.same((await client.ask('GET', `/Groups/${group.id}`)).body, group);
  }),
);

meets(t, [182], 'a value that another resource holds is uniqueness, for PUT and PATCH', (t) =>
  withEach(t, both, async (t, client) => {
    await client.user('held');
    const { id } = await client.user('holder');
    await client.group('Held');
    const group = await client.group('Holder');
    const answers = [
      await replace(client, id, { userName: 'HELD' }),
      await client.patch(`/Users/${id}`, [{ op: 'replace', path: 'userName', value: 'Held' }]),
      await client.ask('PUT', `/Groups/${group.id}`, { schemas: [GROUP], displayName: 'held' }),
      await client.patch(`/Groups/${group.id}`, [{ op: 'replace', path: 'displayName', value: 'HELD' }]),
    ];
    for (const answer of answers)
      t.match(answer, { status: 409, body: { status: '409', scimType: 'uniqueness' } });
    t.equal((await replace(client, id, { userName: 'HOLDER' })).status, 200, "one's own name is no conflict");
  }),
);

meets(t, [173, 174, 175], 'PUT of a group replaces its members', async (t) => {
  const [a, b] = [await strict.user('first'), await strict.user('second')];
  const { id } = await strict.group('Put', [a.id]);
  const put = async (body: object) =>
    (await strict.ask('PUT', `/Groups/${id}`, { schemas: [GROUP], displayName: 'Put 2', ...body })).body;
  t.match(await put({ members: [{ value: b.id }] }), {
    id,
    displayName: 'Put 2',
    members: [{ value: b.id }],
  });
  t.notOk('members' in (await put({})));
});
