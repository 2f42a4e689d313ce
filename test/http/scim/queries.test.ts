import t from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf, ENTERPRISE, type ErrorBody, type List, USER } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';

/** Queries of each type and of the root, by GET and by `/.search`. */

const app = await startApp(t);
const { db } = app.context;
const tenant = await app.createTenant();
const client = clientOf(app, await app.scimKey(tenant));
const ada = await client.user('ada', { displayName: 'Ada', name: { familyName: 'Lovelace' }, active: true });
const bob = await client.user('bob', { displayName: 'Bob' });
const group = await client.group('Analysts', [ada.id]);

const TEAM = '01a20074-5db5-767c-b61a-72e9fc914e0b';
await db.pool.query(
  `insert into team (tenant_id, id, name, name_folded, kind, version, created_at, updated_at)
   values ($1, $2, 'Incident Response', 'incident response', 'team', 3, $3, $4),
          ($1, gen_random_uuid(), 'Fraud', 'fraud', 'case_group', 1, $3, $3)`,
  [tenant.id, TEAM, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
);
await db.pool.query(
  `insert into role (tenant_id, name, display_name, rank, created_at) values ($1, 'AUDITOR', 'Reads all', 250, $2)`,
  [tenant.id, '2026-01-03T00:00:00Z'],
);

const SEARCH = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
const ROLES = ['AUDITOR', 'CASE_MANAGER', 'EDITOR', 'TEAM_ADMIN', 'VIEWER', 'WORKBENCH_USER'];
const namesOf = ({ body }: { body: List }) => body.Resources.map((each) => each.userName ?? each.displayName);
const get = (path: string) => client.ask<List>('GET', path);
const search = (path: string, query: object) => client.ask<List>('POST', `${path}/.search`, query);

t.test('the roles of the tenant are listed as Okta discovers them', async (t) => {
  const { status, body } = await get('/Roles');
  t.equal(status, 200);
  t.same(
    body.Resources.map(({ id }) => id),
    ROLES,
  );
  t.strictSame(body.Resources[0], {
    id: 'AUDITOR',
    schemas: ['urn:okta:scim:schemas:core:1.0:Role'],
    displayName: 'Reads all',
    meta: {
      resourceType: 'Role',
      created: '2026-01-03T00:00:00.000Z',
      lastModified: '2026-01-03T00:00:00.000Z',
      location: 'http://rollcall.test/api/scim/v2/Roles/AUDITOR',
    },
  });
  t.strictSame(body.Resources[2], {
    id: 'EDITOR',
    schemas: ['urn:okta:scim:schemas:core:1.0:Role'],
    displayName: 'EDITOR',
    meta: { resourceType: 'Role', location: 'http://rollcall.test/api/scim/v2/Roles/EDITOR' },
  });
  t.same((await client.list('/Roles', 'displayName eq "Reads all"')).body.totalResults, 1);
  t.same((await client.list('/Roles', 'id eq "EDITOR" or description pr')).body.totalResults, 1);
  t.same(
    (await client.list('/Roles', 'meta.created pr')).body.totalResults,
    1,
    'built-in roles have no date',
  );
});

t.test('the teams of the tenant are listed as entitlements', async (t) => {
  const { body } = await get('/Entitlements?sortBy=displayName&sortOrder=descending');
  t.strictSame(body.Resources[0], {
    id: TEAM,
    schemas: ['urn:okta:scim:schemas:core:1.0:Entitlement'],
    displayName: 'Incident Response',
    type: 'Entitlement',
    description: 'Team',
    meta: {
      resourceType: 'Entitlement',
      created: '2026-01-01T00:00:00.000Z',
      lastModified: '2026-01-02T00:00:00.000Z',
      location: `http://rollcall.test/api/scim/v2/Entitlements/${TEAM}`,
      version: 'W/"3"',
    },
  });
  t.same(namesOf({ body }), ['Incident Response', 'Fraud']);
  t.same(namesOf(await client.list('/Entitlements', 'description eq "case group"')), ['Fraud']);
  t.same(namesOf(await client.list('/Entitlements', 'displayName sw "INCIDENT"')), ['Incident Response']);
  t.same(
    namesOf(await client.list('/Entitlements', 'schemas eq "urn:okta:scim:schemas:core:1.0:Entitlement"')),
    namesOf(await get('/Entitlements')),
  );
});

t.test('one role and one entitlement are read by their ids', async (t) => {
  const role = await client.ask('GET', '/Roles/AUDITOR?attributes=displayName');
  t.strictSame(role.body, {
    id: 'AUDITOR',
    schemas: ['urn:okta:scim:schemas:core:1.0:Role'],
    displayName: 'Reads all',
  });
  t.equal(role.headers['content-location'], 'http://rollcall.test/api/scim/v2/Roles/AUDITOR');
  const team = await client.ask('GET', `/Entitlements/${TEAM}`);
  t.equal(team.headers.etag, 'W/"3"');
  t.equal(team.body.displayName, 'Incident Response');
  const known = await client.ask('GET', `/Entitlements/${TEAM}`, undefined, { 'if-none-match': 'W/"3"' });
  t.equal(known.status, 304);
  for (const path of ['/Roles/auditor', '/Roles/NONE', '/Entitlements/none', `/Entitlements/${ada.id}`]) {
    const { status, body } = await client.ask<ErrorBody>('GET', path);
    t.match({ status, body }, { status: 404, body: { status: '404' } }, path);
  }
});

t.test('roles and entitlements are read-only', async (t) => {
  for (const [method, path] of [
    ['POST', '/Roles'],
    ['PUT', '/Roles/EDITOR'],
    ['PATCH', `/Entitlements/${TEAM}`],
    ['DELETE', `/Entitlements/${TEAM}`],
  ] as const) {
    t.equal((await client.ask(method, path, {})).status, 405, `${method} ${path}`);
  }
});

const EVERYTHING = ['ada', 'bob', 'Analysts', 'Reads all', ...ROLES.slice(1), 'Incident Response', 'Fraud'];

meets(t, [119, 120, 121, 123, 160, 169, 172], '§3.4.2.1 a query of the root finds every type', async (t) => {
  const all = await get('/');
  t.equal(all.status, 200);
  t.equal(all.headers['content-type'], 'application/scim+json');
  t.same(namesOf(all), EVERYTHING, 'by type, then by id');
  t.match(all.body, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: EVERYTHING.length,
    startIndex: 1,
    itemsPerPage: EVERYTHING.length,
  });
  t.notOk('nextCursor' in all.body, 'pages by index announce no cursor');
  t.strictSame((await get('')).body, all.body, 'with and without a slash');
  t.strictSame((await search('', { schemas: [SEARCH] })).body, all.body, 'by POST');
  t.strictSame(all.body.Resources[0], (await client.ask('GET', `/Users/${ada.id}`)).body);
  t.strictSame(all.body.Resources[2], (await client.ask('GET', `/Groups/${group.id}`)).body);
  const middle = await get('/?startIndex=3&count=3');
  t.same(namesOf(middle), EVERYTHING.slice(2, 5));
  t.match(middle.body, { totalResults: EVERYTHING.length, startIndex: 3, itemsPerPage: 3 });
});

meets(t, [122, 123, 125, 126], '§3.4.2.1 filters of the root hold for each type', async (t) => {
  const found = async (filter: string) => namesOf(await client.list('', filter));
  t.same(await found('meta.resourceType eq "Group"'), ['Analysts']);
  t.same(await found('(meta.resourceType eq "User") or (meta.resourceType eq "Entitlement")'), [
    'ada',
    'bob',
    'Incident Response',
    'Fraud',
  ]);
  t.same(await found('displayName eq "ADA" or displayName co "SIS"'), ['Incident Response', 'ada'].slice(1));
  t.same(await found('members pr or name.familyName eq "lovelace"'), ['ada', 'Analysts']);
  t.same(await found('not (userName pr) and meta.resourceType ne "Role"'), [
    'Analysts',
    'Incident Response',
    'Fraud',
  ]);
  t.same(await found(`id eq "${TEAM}" or id eq "EDITOR"`), ['EDITOR', 'Incident Response']);
  t.same(await found(`members[value eq "${ada.id}"]`), ['Analysts']);
  const none = await client.list('', 'userName eq "nobody"');
  t.match(none, { status: 200, body: { totalResults: 0, Resources: [] } });
  const unknown = await client.ask<ErrorBody>('GET', `/?filter=${encodeURIComponent('shoeSize pr')}`);
  t.match(unknown, { status: 400, body: { scimType: 'invalidFilter' } });
});

meets(t, [151, 152, 154, 155, 156], '§3.4.2.3 the root is sorted over all types', async (t) => {
  const sorted = async (query: string) => namesOf(await get(`/?${query}`));
  // The names of roles are case exact, so their capitals come first.
  const names = ['CASE_MANAGER', 'EDITOR', 'Reads all', 'TEAM_ADMIN', 'VIEWER', 'WORKBENCH_USER'];
  names.push('ada', 'Analysts', 'bob', 'Fraud', 'Incident Response');
  t.same(await sorted('sortBy=displayName'), names);
  t.same(await sorted('sortBy=displayName&sortOrder=descending&count=3'), names.slice(-3).reverse());
  t.same(await sorted('sortBy=userName&count=3'), ['ada', 'bob', 'Analysts'], 'no value sorts last');
  t.same((await sorted('sortBy=userName&sortOrder=descending')).slice(-2), ['bob', 'ada'], 'or first');
  const byId = await get('/?sortBy=id&sortOrder=descending');
  const ids = byId.body.Resources.map(({ id }) => id);
  t.same(ids, [...ids].sort().reverse());
  t.equal((await get('/?sortBy=meta.created')).body.Resources.length, EVERYTHING.length);
  t.equal((await client.ask('GET', '/?sortBy=shoeSize')).status, 400);
});

meets(t, [119, 169, 170, 171, 172], '§3.4.3 each endpoint is searched by POST like by GET', async (t) => {
  for (const endpoint of ['/Users', '/Groups', '/Roles', '/Entitlements', '']) {
    const query = { filter: 'meta.location pr', sortBy: 'displayName', startIndex: 1, count: 2 };
    const url = new URLSearchParams({ ...query, startIndex: '1', count: '2' });
    const posted = await search(endpoint, { schemas: [SEARCH], ...query, attributes: ['displayName'] });
    const got = await get(`${endpoint}?${url}&attributes=displayName`);
    t.equal(posted.status, 200);
    t.strictSame(posted.body, got.body, endpoint);
    t.equal((await search(endpoint, { schemas: [USER] })).status, 400, 'another message');
    t.equal((await client.ask('PUT', `${endpoint}/.search`, {})).status, 405);
  }
});

t.test('the projection of a root query holds for each type', async (t) => {
  const { body } = await get(
    '/?attributes=userName,members&filter=meta.resourceType%20ne%20%22Role%22&count=3',
  );
  t.strictSame(
    body.Resources.map((each) => Object.keys(each).sort()),
    [
      ['id', 'schemas', 'userName'],
      ['id', 'schemas', 'userName'],
      ['id', 'members', 'schemas'],
    ],
  );
  const { body: without } = await get('/?excludedAttributes=meta,groups,members');
  t.notOk(without.Resources.some((each) => 'meta' in each || 'groups' in each || 'members' in each));
});

meets(t, [150, 255, 288], '§7.5.2 a secret in a URL is 403, in a body it is no filter', async (t) => {
  for (const endpoint of ['/Users', '/']) {
    for (const query of ['filter=password%20eq%20%22x%22', 'sortBy=password']) {
      t.match(await client.ask<ErrorBody>('GET', `${endpoint}?${query}`), {
        status: 403,
        body: { status: '403', scimType: 'sensitive' },
      });
    }
    const posted = await client.ask<ErrorBody>('POST', `${endpoint === '/' ? '' : endpoint}/.search`, {
      filter: 'password eq "x"',
    });
    t.match(posted, { status: 400, body: { scimType: 'invalidFilter' } });
  }
});

t.test('a stored value of another type than the schema says fails no query', async (t) => {
  const stored = {
    title: 5,
    emails: { value: 'no-list' },
    addresses: ['text', { primary: 'yes', country: 7 }],
    roles: [{ value: ['a'], primary: 'true' }],
    name: 'text',
    [ENTERPRISE]: [],
  };
  await db.pool.query('update scim_user set search = search || $1 where id = $2', [stored, bob.id]);
  const attributes = [
    'title',
    'emails.value',
    'addresses.primary',
    'roles.primary',
    'name.familyName',
    'active',
  ];
  for (const name of [...attributes, `${ENTERPRISE}:department`, 'addresses.country', 'roles.value']) {
    const literal = /primary|active/.test(name) ? 'true' : '"a"';
    for (const filter of [`${name} pr`, `${name} eq ${literal}`, `not (${name} ne ${literal})`]) {
      t.equal((await client.list('/Users', filter)).status, 200, filter);
    }
    t.equal((await get(`/Users?sortBy=${name}`)).status, 200, `sorted by ${name}`);
  }
  t.same(namesOf(await client.list('/Users', 'addresses[primary eq false]')), []);
});
