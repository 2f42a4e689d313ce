import t from 'tap';
import { startApp } from '../support/app.ts';
import { clientOf, ENTERPRISE, GROUP, type List, PATCH_OP, type Resource, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** Which attributes an answer has (RFC 7644 sections 3.4.2.5 and 3.9). */

const app = await startApp(t);
const client = clientOf(app, await app.scimKey(await app.createTenant({ strictScim: true })));

const attributes = {
  name: { givenName: 'G', familyName: 'F' },
  title: 'T',
  emails: [{ value: 'a@work.example', type: 'work', primary: true }],
  [ENTERPRISE]: { department: 'D', manager: { value: 'm' } },
};
const user = await client.user('projected', attributes);
const { id, meta } = user;
/** What no parameter takes away: the attributes that are returned always. */
const minimum = { schemas: [USER, ENTERPRISE], id };
const whole = { ...minimum, userName: 'projected', active: true, ...attributes, meta };

const read = async (query: string) => (await client.ask('GET', `/Users/${id}?${query}`)).body as object;

meets(t, [162, 163, 166], 'attributes: what is always returned, and the named ones', async (t) => {
  const cases: readonly [names: string, answered: object][] = [
    ['userName', { userName: 'projected' }],
    ['userName,title', { userName: 'projected', title: 'T' }],
    [' userName , title ', { userName: 'projected', title: 'T' }],
    ['USERNAME', { userName: 'projected' }],
    ['name', { name: attributes.name }],
    ['name.givenName', { name: { givenName: 'G' } }],
    ['name.givenName,name', { name: attributes.name }],
    ['NAME.GIVENNAME', { name: { givenName: 'G' } }],
    ['emails.value', { emails: [{ value: 'a@work.example' }] }],
    [`${USER}:title`, { title: 'T' }],
    [`${USER.toUpperCase()}:Name.FamilyName`, { name: { familyName: 'F' } }],
    [ENTERPRISE, { [ENTERPRISE]: attributes[ENTERPRISE] }],
    [`${ENTERPRISE}:department`, { [ENTERPRISE]: { department: 'D' } }],
    [`${ENTERPRISE}:manager.value`, { [ENTERPRISE]: { manager: { value: 'm' } } }],
    ['meta.version', { meta: { version: meta.version } }],
    ['id', {}],
    ['nickName', {}],
    ['password', {}],
    ['shoeSize', {}],
  ];
  for (const [names, answered] of cases) {
    t.same(await read(`attributes=${encodeURIComponent(names)}`), { ...minimum, ...answered }, names);
  }
});

meets(
  t,
  [162, 164, 165, 166],
  'excludedAttributes: everything but the named ones, and never the minimum',
  async (t) => {
    const { title: _title, ...untitled } = whole;
    const { name: _name, ...unnamed } = untitled;
    const { [ENTERPRISE]: _extension, ...core } = whole;
    const { meta: _meta, ...unversioned } = whole;
    const cases: readonly [names: string, answered: object][] = [
      ['title', untitled],
      ['TITLE', untitled],
      [`${USER}:title`, untitled],
      ['title,name', unnamed],
      ['name.givenName', { ...whole, name: { familyName: 'F' } }],
      ['emails.type,emails.primary', { ...whole, emails: [{ value: 'a@work.example' }] }],
      [ENTERPRISE, core],
      [`${ENTERPRISE}:manager`, { ...whole, [ENTERPRISE]: { department: 'D' } }],
      ['meta', unversioned],
      ['id', whole],
      ['schemas,ID', whole],
      ['shoeSize', whole],
    ];
    for (const [names, answered] of cases) {
      t.same(await read(`excludedAttributes=${encodeURIComponent(names)}`), answered, names);
    }
    t.same(await read(''), whole, 'and without a parameter everything');
  },
);

meets(t, [167], 'both parameters at once are refused, on every operation', async (t) => {
  const both = 'attributes=title&excludedAttributes=name';
  const search = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
    attributes: ['title'],
    excludedAttributes: ['name'],
  };
  const answers = [
    await client.ask('GET', `/Users/${id}?${both}`),
    await client.ask('GET', `/Users?${both}`),
    await client.ask('POST', '/Users/.search', search),
    await client.ask('POST', `/Users?${both}`, { schemas: [USER], userName: 'never' }),
    await client.ask('PUT', `/Users/${id}?${both}`, { schemas: [USER], userName: 'never' }),
    await client.ask('PATCH', `/Users/${id}?${both}`, { schemas: [PATCH_OP], Operations: [remove('title')] }),
  ];
  for (const answer of answers) t.match(answer, { status: 400, body: { scimType: 'invalidValue' } });
  t.equal((await client.list('/Users', 'userName eq "never"')).body.totalResults, 0);
});

meets(t, [168], 'every operation that answers with a resource narrows it', async (t) => {
  const body = { schemas: [USER], userName: 'narrow', title: 'T', name: { givenName: 'G' } };
  const created = await client.ask('POST', '/Users?attributes=title', body);
  const path = `/Users/${created.body.id}`;
  const narrow = { schemas: [USER], id: created.body.id, title: 'T' };
  const operations = { schemas: [PATCH_OP], Operations: [remove('nickName')] };
  const search = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
    filter: 'userName eq "narrow"',
  };
  const first = async (answer: Promise<{ body: List }>) => (await answer).body.Resources[0] as Resource;
  const answers: readonly [operation: string, answer: object][] = [
    ['POST', created.body],
    ['PUT', (await client.ask('PUT', `${path}?attributes=title`, body)).body],
    ['PATCH', (await client.ask('PATCH', `${path}?attributes=title`, operations)).body],
    ['GET', (await client.ask('GET', `${path}?attributes=title`)).body],
    ['query', await first(client.list('/Users', 'userName eq "narrow"', '&attributes=title'))],
    ['search', await first(client.ask('POST', '/Users/.search', { ...search, attributes: ['title'] }))],
  ];
  for (const [operation, answer] of answers) t.same(answer, narrow, operation);

  const excluded = 'name,meta,active,userName';
  const wider: readonly [operation: string, answer: object][] = [
    ['PUT', (await client.ask('PUT', `${path}?excludedAttributes=${excluded}`, body)).body],
    ['PATCH', (await client.ask('PATCH', `${path}?excludedAttributes=${excluded}`, operations)).body],
    ['query', await first(client.list('/Users', 'userName eq "narrow"', `&excludedAttributes=${excluded}`))],
    [
      'search',
      await first(
        client.ask('POST', '/Users/.search', { ...search, excludedAttributes: excluded.split(',') }),
      ),
    ],
  ];
  for (const [operation, answer] of wider) t.same(answer, narrow, `${operation}, excluded`);
});

meets(t, [163, 164, 168], 'groups are narrowed alike, by their members too', async (t) => {
  const group = { schemas: [GROUP], displayName: 'Narrow', members: [{ value: id }] };
  const created = (await client.ask('POST', '/Groups?attributes=displayName', group)).body;
  t.same(created as object, { schemas: [GROUP], id: created.id, displayName: 'Narrow' });
  const path = `/Groups/${created.id}`;
  t.same((await client.ask('GET', `${path}?attributes=members.value`)).body as object, {
    schemas: [GROUP],
    id: created.id,
    members: [{ value: id }],
  });
  t.notOk('members' in (await client.ask('GET', `${path}?excludedAttributes=members`)).body);
  const put = (await client.ask('PUT', `${path}?excludedAttributes=members,meta`, group)).body;
  t.same(put as object, { schemas: [GROUP], id: created.id, displayName: 'Narrow' });
});

function remove(path: string): object {
  return { op: 'remove', path };
}
