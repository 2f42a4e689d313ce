import { randomBytes, randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { BUILT_IN_ROLES } from '../../src/reconcile/roles.ts';
import type { Tenant } from '../../src/tenants/tenants.ts';
import { type Answer, type AnyBody, type Method, startApp } from '../support/app.ts';
import { idpMetadata } from '../support/certificates.ts';
import { makeProvider } from '../support/gateway.ts';
import { makeConflict } from '../support/sign-in.ts';

/**
 * Another tenant's ids answer exactly like ids that don't exist. The routes are read from Fastify, so that a new
 * one joins by itself: where this file cannot fill in its path, its body or its query, the test fails.
 */

const app = await startApp(t);

/** What one tenant has that a path can name. */
interface World {
  readonly tenant: Pick<Tenant, 'id' | 'name'>;
  readonly directory: string;
  /** An identity provider, by name. */
  readonly identityProvider: string;
  /** Another one, by which people sign in. */
  readonly gateway: string;
  readonly apiKey: string;
  readonly serviceKey: string;
  readonly team: string;
  readonly role: string;
  readonly permission: string;
  readonly user: string;
  /** A user whom no directory manages, and who signs in by the identity provider. */
  readonly unmanaged: string;
  /** A user who was deleted. */
  readonly deleted: string;
  readonly group: string;
  /** The URN of a schema extension. */
  readonly extension: string;
  /** A version of the group mapping. */
  readonly version: string;
  /** A resync that is queued. */
  readonly job: string;
  /** An e-mail domain. */
  readonly domain: string;
  /** A pending invitation. */
  readonly invitation: string;
  /** A sign-in to be decided on. */
  readonly conflict: string;
}

/** Each path parameter's values in a world; the first is the one that the route is for. */
const PARAMETERS: Readonly<Record<string, (world: World, url: string) => string[]>> = {
  tenant: ({ tenant }) => [tenant.id, tenant.name],
  directory: ({ directory }) => [directory],
  identityProvider: ({ identityProvider, gateway }, url) =>
    /\/(test|identities\/:identityProvider)$/.test(url) ? [gateway] : [identityProvider],
  apiKey: ({ apiKey }) => [apiKey],
  serviceKey: ({ serviceKey }) => [serviceKey],
  team: ({ team }) => [team],
  role: ({ role }) => [role, role.toLowerCase()],
  permission: ({ permission }) => [permission, permission.toLowerCase()],
  userId: ({ user, unmanaged, deleted }, url) => {
    if (url.endsWith('/allow-return')) return [deleted, deleted.toUpperCase()];
    return url.startsWith('/api/admin/') ? [unmanaged, unmanaged.toUpperCase()] : [user, user.toUpperCase()];
  },
  version: ({ version }) => [version],
  job: ({ job }) => [job, job.toUpperCase()],
  domain: ({ domain }) => [domain, domain.toUpperCase()],
  invitation: ({ invitation }) => [invitation, invitation.toUpperCase()],
  conflict: ({ conflict }) => [conflict, conflict.toUpperCase()],
  urn: ({ extension }) => [extension, extension.toUpperCase()],
  id: ({ user, group, role, team }, url) => {
    if (url.includes('/Roles/')) return [role, team];
    if (url.includes('/Entitlements/')) return [team, user];
    return url.includes('/Groups/') ? [group, user] : [user, group];
  },
};

/** Says what holds already. */
const MAPPING = { mappings: [{ group_name: 'Victims', team_name: 'Victims', role_name: 'VIEWER' }] };

const REPLACE = { Operations: [{ op: 'replace', path: 'displayName', value: 'Taken over' }] };

/** A body that holds, for each route that reads one; a function makes it of what the world has. */
const BODIES: Readonly<Record<string, unknown>> = {
  'PUT /api/admin/v1/tenants/:tenant/group-mapping': MAPPING,
  'POST /api/admin/v1/tenants/:tenant/group-mapping/revert': { version: 1 },
  'PATCH /api/admin/v1/tenants/:tenant': { displayName: 'Taken over' },
  'POST /api/admin/v1/tenants/:tenant/directories': { name: 'taken-over' },
  'PATCH /api/admin/v1/tenants/:tenant/directories/:directory': { displayName: 'Taken over' },
  'POST /api/admin/v1/tenants/:tenant/identity-providers': {
    name: 'taken-over',
    kind: 'claims',
    jit: 'off',
  },
  'PATCH /api/admin/v1/tenants/:tenant/identity-providers/:identityProvider': { displayName: 'Taken over' },
  'POST /api/admin/v1/tenants/:tenant/identity-providers/:identityProvider/metadata':
    idpMetadata('urn:taken-over'),
  'POST /api/admin/v1/tenants/:tenant/identity-providers/:identityProvider/test': {
    requestId: 'taken-over',
    claims: { sub: 'taken-over' },
  },
  'POST /api/admin/v1/tenants/:tenant/teams': { name: 'Taken over' },
  'PATCH /api/admin/v1/tenants/:tenant/teams/:team': { name: 'Taken over' },
  'PUT /api/admin/v1/tenants/:tenant/teams/:team/members/:userId': { role: 'VIEWER' },
  'POST /api/admin/v1/tenants/:tenant/permissions': { name: 'TAKEN_OVER' },
  'POST /api/admin/v1/tenants/:tenant/users': { userName: 'taken-over' },
  'PATCH /api/admin/v1/tenants/:tenant/users/:userId': { displayName: 'Taken over' },
  'POST /api/admin/v1/tenants/:tenant/domains': { name: 'taken-over.example' },
  'PATCH /api/admin/v1/tenants/:tenant/domains/:domain': { jit: true },
  'POST /api/admin/v1/tenants/:tenant/domains/:domain/verify': { by: 'operator' },
  'POST /api/admin/v1/tenants/:tenant/invitations': { email: 'taken@over.example', grants: [] },
  'POST /api/admin/v1/tenants/:tenant/invitations/:invitation/accept': ({ unmanaged }: World) => ({
    userId: unmanaged,
  }),
  'POST /api/admin/v1/tenants/:tenant/conflicts/:conflict/resolve': { action: 'reject' },
  'POST /api/admin/v1/tenants/:tenant/users/import': '{"userName": "taken-over"}',
  'POST /api/admin/v1/tenants/:tenant/explain': { groups: ['Taken over'] },
  'POST /api/admin/v1/tenants/:tenant/roles': { name: 'TAKEN_OVER', rank: 1 },
  'POST /api/admin/v1/tenants/:tenant/api-keys': { name: 'Taken over', scopes: ['scim'] },
  'POST /api/admin/v1/tenants/:tenant/api-keys/:apiKey/rotate': { overlapSeconds: 0 },
  'POST /api/admin/v1/tenants/:tenant/schema-extensions': {
    id: 'urn:example:taken-over',
    name: 'Taken over',
    attributes: [{ name: 'taken' }],
  },
  'PUT /api/admin/v1/tenants/:tenant/schema-extensions/:urn': {
    name: 'Taken over',
    attributes: [{ name: 'taken' }],
  },
  'PUT /api/v1/tenants/:tenant/users/:userId/product-user-id': { productUserId: 'taken-over' },
  'PUT /api/scim/v2/Users/:id': { userName: 'taken-over' },
  'PATCH /api/scim/v2/Users/:id': REPLACE,
  'PUT /api/scim/v2/Groups/:id': { displayName: 'Taken over' },
  'PATCH /api/scim/v2/Groups/:id': REPLACE,
};
const QUERIES: Readonly<Record<string, string>> = {
  // One is queued already.
  'POST /api/admin/v1/tenants/:tenant/resync': '?dryRun=true',
  'DELETE /api/admin/v1/tenants/:tenant/directories/:directory': '?users=release',
  'DELETE /api/admin/v1/tenants/:tenant/identity-providers/:identityProvider': '?users=release',
  'GET /api/v1/tenants/:tenant/access': '?userName=victim',
  'HEAD /api/v1/tenants/:tenant/access': '?userName=victim',
};

/** What bodies that are not JSON say of themselves. */
const HEADERS: Readonly<Record<string, Record<string, string>>> = {
  'POST /api/admin/v1/tenants/:tenant/users/import': { 'content-type': 'application/x-ndjson' },
  'POST /api/admin/v1/tenants/:tenant/identity-providers/:identityProvider/metadata': {
    'content-type': 'application/xml',
  },
};

/** Names in these paths are ours, the same for everybody. */
const SHARED = /^\/(docs|api\/scim\/v2\/(Schemas|ResourceTypes))(\/|$)/;

interface Route {
  readonly method: Method;
  readonly url: string;
}

const routes: Route[] = app.routes
  .filter(({ url, schema }) => /[:*]/.test(url) && !SHARED.test(url) && !schema?.hide)
  .flatMap(({ method, url }) => [method].flat().map((each) => ({ method: each as Method, url })));

function parametersOf({ url }: Route): string[] {
  return [...url.matchAll(/:(\w+)/g)].map(([, name]) => String(name));
}

/** The path of a route in a world; `variant` chooses among the ways to name one thing. */
function pathOf(route: Route, world: World, variant = 0): string {
  const path = route.url.replace(/:(\w+)/g, (_, name: string) => {
    const values = PARAMETERS[name]?.(world, route.url) ?? [];
    return String(values[variant % values.length]);
  });
  return path + (QUERIES[`${route.method} ${route.url}`] ?? '');
}

async function ask(route: Route, world: World, key: string, variant = 0): Promise<Answer<AnyBody>> {
  const made = BODIES[`${route.method} ${route.url}`];
  const body = typeof made === 'function' ? made(world) : made;
  const path = pathOf(route, world, variant);
  const headers = HEADERS[`${route.method} ${route.url}`] ?? {};
  return app.send(route.method, path, { key, ...(body !== undefined && { body }), headers });
}

async function makeWorld({ mapped = true } = {}): Promise<World> {
  const tenant = await app.createTenant();
  const directory = `directory-${randomBytes(4).toString('hex')}`;
  await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: directory });
  const extension = `urn:example:${directory}`;
  await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, {
    id: extension,
    name: 'Victim',
    attributes: [{ name: 'badge' }],
  });
  const identityProvider = `provider-${directory}`;
  await app.admin('POST', `/tenants/${tenant.id}/identity-providers`, {
    name: identityProvider,
    kind: 'saml',
    jit: 'off',
    saml: { audience: 'urn:victim', acsUrl: 'https://victim.example/acs' },
  });
  const { id: apiKey, key } = await app.apiKey(tenant, ['scim'], { directory });
  const { id: serviceKey } = await app.serviceKey(['read']);
  const path = `/tenants/${tenant.id}`;
  const { body: team } = await app.admin<{ id: string }>('POST', `${path}/teams`, { name: 'Victims' });
  // Versions are counted in each tenant: only where there are none they are ids that do not exist.
  if (mapped) await app.admin('PUT', `${path}/group-mapping`, MAPPING);
  const role = `ROLE_${randomBytes(4).toString('hex').toUpperCase()}`;
  await app.admin('POST', `${path}/roles`, { name: role, rank: 600 });
  const permission = `PERMISSION_${role}`;
  await app.admin('POST', `${path}/permissions`, { name: permission });
  const { body: unmanaged } = await app.admin<{ id: string }>('POST', `${path}/users`, {
    userName: 'by-hand',
  });
  const gateway = `gateway-${directory}`;
  await makeProvider(app, tenant.id, { name: gateway });
  await app.context.db.pool.query(
    `insert into identity_link
     select tenant_id, id, 'victim', $2, 'admin', now(), now(), 'empty', '{}', now() from identity_provider
     where tenant_id = $1 and name = $3`,
    [tenant.id, unmanaged.id, gateway],
  );
  const { body: deleted } = await app.admin<{ id: string }>('POST', `${path}/users`, { userName: 'gone' });
  await app.admin('DELETE', `${path}/users/${deleted.id}`);
  const { body: job } = await app.admin<{ job: string }>('POST', `${path}/resync`);
  const domain = `${directory}.example`;
  await app.admin('POST', `${path}/domains`, { name: domain });
  const invited = { email: `ada@${domain}`, grants: [] };
  const { body: invitation } = await app.admin<{ id: string }>('POST', `${path}/invitations`, invited);
  const create = async (endpoint: string, body: object) =>
    (await app.send<{ id: string }>('POST', `/api/scim/v2/${endpoint}`, { key, body })).body.id;
  const user = await create('Users', { userName: 'victim', externalId: 'x-1' });
  const group = await create('Groups', { displayName: 'Victims', members: [{ value: user }] });
  return {
    tenant,
    directory,
    identityProvider,
    gateway,
    apiKey,
    serviceKey,
    team: team.id,
    role,
    permission,
    user,
    unmanaged: unmanaged.id,
    deleted: deleted.id,
    group,
    extension,
    version: '1',
    job: job.job,
    domain,
    invitation: invitation.id,
    conflict: await makeConflict(app, tenant.id, unmanaged.id),
  };
}

/** A world that is nowhere. */
function noWorld(): World {
  const name = randomBytes(4).toString('hex');
  return {
    tenant: { id: randomUUID(), name: `tenant-${name}` },
    directory: `directory-${name}`,
    identityProvider: `provider-${name}`,
    gateway: `gateway-${name}`,
    apiKey: randomUUID(),
    serviceKey: randomUUID(),
    team: randomUUID(),
    role: `ROLE_${name.toUpperCase()}`,
    permission: `PERMISSION_${name.toUpperCase()}`,
    user: randomUUID(),
    unmanaged: randomUUID(),
    deleted: randomUUID(),
    group: randomUUID(),
    extension: `urn:example:${name}`,
    version: '999',
    job: randomUUID(),
    domain: `${name}.example`,
    invitation: randomUUID(),
    conflict: randomUUID(),
  };
}

/** Everything of an answer that does not differ between any two requests. */
function comparable({ status, headers, text }: Answer<AnyBody>): unknown {
  const { date, 'x-request-id': requestId, ...rest } = headers;
  return { status, headers: rest, text: text.replaceAll(String(requestId), 'REQUEST') };
}

const [victim, absent, attacker] = [await makeWorld(), noWorld(), await makeWorld({ mapped: false })];
const attackers = await Promise.all(
  (['admin', 'scim', 'read', 'jit'] as const).map(async (scope) => ({
    who: `a ${scope} key`,
    key: (await app.apiKey(attacker.tenant, [scope])).key,
  })),
);
const operator = { who: 'the operator', key: app.operatorKey };

t.test('every parameter, body and query of every route is known here', async (t) => {
  t.ok(routes.length > 20, 'the routes were found');
  for (const route of routes) {
    const name = `${route.method} ${route.url}`;
    const { schema } =
      app.routes.find(({ url, method }) => url === route.url && method === route.method) ?? {};
    t.notMatch(route.url, '*', `${name} has no wildcard`);
    for (const parameter of parametersOf(route)) t.ok(parameter in PARAMETERS, `${name}: ${parameter}`);
    if (schema?.body) t.ok(name in BODIES, `${name} reads a body`);
    if ((schema?.querystring as { required?: unknown })?.required)
      t.ok(name in QUERIES, `${name} needs a query`);
  }
});

for (const route of routes) {
  const name = `${route.method} ${route.url}`;

  t.test(`${name}: the owner gets in`, async (t) => {
    const world = await makeWorld();
    const { key: scim } = await app.apiKey(world.tenant, ['scim'], { directory: world.directory });
    const { key: read } = await app.serviceKey(['read']);
    const surface = Object.entries({ '/api/scim': scim, '/api/v1': read, '/api/admin': app.operatorKey });
    const [, key = ''] = surface.find(([prefix]) => route.url.startsWith(prefix)) ?? [];
    const { status, text } = await ask(route, world, key);
    t.ok(status >= 200 && status < 300, `${status} ${text}`);
  });

  t.test(`${name}: another tenant's ids answer like ids that don't exist`, async (t) => {
    const pairs = [{ there: victim, nowhere: absent, by: attackers }];
    if (parametersOf(route).length > 1) {
      // Another tenant's ids behind one's own: the tenant is found, and nothing below it.
      const { tenant } = attacker;
      pairs.push({
        there: { ...victim, tenant },
        nowhere: { ...absent, tenant },
        by: [...attackers, operator],
      });
    }
    for (const { there, nowhere, by } of pairs) {
      for (const { who, key } of by) {
        for (const variant of [0, 1]) {
          const [theirs, nobodys] = [
            await ask(route, there, key, variant),
            await ask(route, nowhere, key, variant),
          ];
          t.same(comparable(theirs), comparable(nobodys), `${who}: ${theirs.status}`);
          t.ok([401, 403, 404].includes(theirs.status), `${who} is refused: ${theirs.status} ${theirs.text}`);
        }
      }
    }
  });
}

t.test('whatever was tried, the other tenant is as it was', async (t) => {
  const path = `/api/admin/v1/tenants/${victim.tenant.id}`;
  const [tenant, directory, extension, keys] = [
    await app.send('GET', path, operator),
    await app.send('GET', `${path}/directories/${victim.directory}`, operator),
    await app.send('GET', `${path}/schema-extensions/${victim.extension}`, operator),
    await app.send<{ apiKeys: AnyBody[] }>('GET', `${path}/api-keys`, operator),
  ];
  t.match(extension.body, { name: 'Victim', attributes: [{ name: 'badge' }] });
  const { body: job } = await app.send('GET', `${path}/jobs/${victim.job}`, operator);
  t.match(job, { state: 'queued' });
  const provider = await app.send('GET', `${path}/identity-providers/${victim.identityProvider}`, operator);
  t.match(provider.body, { displayName: null, version: 1 });
  const { body: domain } = await app.send('GET', `${path}/domains/${victim.domain}`, operator);
  t.match(domain, { state: 'pending', jit: false });
  const { body: invited } = await app.send('GET', `${path}/invitations/${victim.invitation}`, operator);
  t.match(invited, { state: 'pending' });
  const { body: conflict } = await app.send('GET', `${path}/conflicts/${victim.conflict}`, operator);
  t.match(conflict, { state: 'open' });
  t.match([tenant.body, directory.body], [{ displayName: null }, { displayName: null }]);
  t.match(keys.body.apiKeys, [{ id: victim.apiKey, expiresAt: null }]);
  const [teams, roles] = [
    await app.send<{ teams: AnyBody[] }>('GET', `${path}/teams`, operator),
    await app.send<{ roles: AnyBody[] }>('GET', `${path}/roles`, operator),
  ];
  t.match(teams.body.teams, [{ id: victim.team, name: 'Victims' }]);
  t.match(roles.body.roles.slice(BUILT_IN_ROLES.length), [{ name: victim.role }]);
  const [permissions, unmanaged] = [
    await app.send<{ permissions: AnyBody[] }>('GET', `${path}/permissions`, operator),
    await app.send<AnyBody>('GET', `${path}/users/${victim.unmanaged}`, operator),
  ];
  t.match(permissions.body.permissions, [{ name: victim.permission }]);
  t.match(unmanaged.body, { userName: 'by-hand', displayName: null, tenantOwner: false, permissions: [] });
  t.same(unmanaged.body.memberships, []);
  t.match(unmanaged.body.identities, [{ identityProvider: victim.gateway }]);
  const { key } = await app.apiKey(victim.tenant, ['scim'], { directory: victim.directory });
  const [user, group] = [
    await app.send('GET', `/api/scim/v2/Users/${victim.user}`, { key }),
    await app.send('GET', `/api/scim/v2/Groups/${victim.group}`, { key }),
  ];
  t.match(user.body, { userName: 'victim', meta: { version: /^W\/"1[."]/ } });
  t.match((await app.send('GET', `${path}/users/${victim.user}`, operator)).body, { productUserId: null });
  t.match(group.body, { displayName: 'Victims', members: [{ value: victim.user }] });
});

t.test('lists, filters and searches hold nothing of another tenant', async (t) => {
  const lists = app.routes.filter(
    ({ method, url }) => method === 'GET' && url.startsWith('/api/') && !/[:*]/.test(url),
  );
  t.ok(lists.length > 5);
  const queries = [
    '',
    '?filter=userName eq "victim"',
    '?filter=externalId eq "x-1"',
    '?filter=displayName eq "Victims"',
  ];
  const theirs = new RegExp(
    [
      victim.user,
      victim.group,
      victim.apiKey,
      victim.tenant.id,
      victim.directory,
      victim.identityProvider,
      victim.team,
      victim.role,
      victim.permission,
      victim.unmanaged,
      victim.extension,
      victim.job,
      victim.domain,
      victim.invitation,
      victim.conflict,
    ].join('|'),
  );
  for (const { url } of lists) {
    for (const { who, key } of attackers) {
      for (const query of queries) {
        const { text } = await app.send('GET', url + encodeURI(query), { key });
        t.notMatch(text, theirs, `${who}: ${url}${query}`);
      }
    }
  }
});

t.test('two tenants have users and groups of the same names, and neither learns of the other', async (t) => {
  const [one, other] = [
    await app.scimKey(await app.createTenant()),
    await app.scimKey(await app.createTenant()),
  ];
  const requests = [
    [
      'Users',
      { userName: 'bjensen@example.com', externalId: 'x-1', emails: [{ value: 'bjensen@example.com' }] },
    ],
    ['Groups', { displayName: 'Employees', externalId: 'x-2' }],
  ] as const;
  for (const [endpoint, body] of requests) {
    for (const key of [one, other]) {
      t.equal((await app.send('POST', `/api/scim/v2/${endpoint}`, { key, body })).status, 201);
      t.match((await app.send('GET', `/api/scim/v2/${endpoint}`, { key })).body, { totalResults: 1 });
    }
  }
});

/**
 * Asks in one directory for what lies in another of the same tenant, and for what is nowhere: the answers differ in
 * nothing but the id that was asked for.
 */
async function sameAsNowhere(
  t: Test,
  ids: { readonly there: string; readonly nowhere: string },
  act: (id: string) => Promise<Answer<AnyBody>>,
): Promise<Answer<AnyBody>> {
  const [theirs, nobodys] = [await act(ids.there), await act(ids.nowhere)];
  const unnamed = (answer: Answer<AnyBody>, id: string) =>
    JSON.parse(JSON.stringify(comparable(answer)).replaceAll(id, 'ID'));
  t.same(unnamed(theirs, ids.there), unnamed(nobodys, ids.nowhere), `${theirs.status} ${theirs.text}`);
  return theirs;
}

/** What is in the victim's own directory, and an id of the same kind that is nowhere. */
const FOREIGN = {
  Users: { there: victim.user, nowhere: absent.user },
  Groups: { there: victim.group, nowhere: absent.group },
};
const neighbour = await app.scimKey(victim.tenant);
const askNeighbour = (method: Method, path: string, body?: unknown) =>
  app.send(method, `/api/scim/v2/${path}`, { key: neighbour, ...(body !== undefined && { body }) });

for (const [endpoint, ids] of Object.entries(FOREIGN)) {
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'] as const) {
    t.test(`${method} of ${endpoint} of another directory of the tenant answers like none`, async (t) => {
      const answer = await sameAsNowhere(t, ids, (id) =>
        askNeighbour(method, `${endpoint}/${id}`, BODIES[`${method} /api/scim/v2/${endpoint}/:id`]),
      );
      t.equal(answer.status, 404);
    });
  }
}

t.test('a /Bulk reaches nothing of another directory of the tenant either', async (t) => {
  for (const [endpoint, ids] of Object.entries(FOREIGN)) {
    for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
      const answer = await sameAsNowhere(t, ids, (id) =>
        askNeighbour('POST', 'Bulk', {
          Operations: [
            { method, path: `/${endpoint}/${id}`, data: BODIES[`${method} /api/scim/v2/${endpoint}/:id`] },
          ],
        }),
      );
      t.match(answer.body, { Operations: [{ status: '404' }] }, `${method} ${endpoint}`);
    }
  }
});

t.test('users and groups of another directory of the tenant cannot be made members', async (t) => {
  const { body } = await askNeighbour('POST', 'Groups', { displayName: 'Neighbours' });
  const path = `Groups/${body.id}`;
  const writes: Readonly<Record<string, (members: object[]) => Promise<Answer<AnyBody>>>> = {
    POST: (members) => askNeighbour('POST', 'Groups', { displayName: randomUUID(), members }),
    PUT: (members) => askNeighbour('PUT', path, { displayName: 'Neighbours', members }),
    'PATCH add': (value) =>
      askNeighbour('PATCH', path, { Operations: [{ op: 'add', path: 'members', value }] }),
    'PATCH replace': (value) =>
      askNeighbour('PATCH', path, { Operations: [{ op: 'replace', path: 'members', value }] }),
  };
  for (const ids of Object.values(FOREIGN)) {
    for (const [name, write] of Object.entries(writes)) {
      const answer = await sameAsNowhere(t, ids, (value) => write([{ value }]));
      t.match(answer, { status: 400, body: { scimType: 'invalidValue' } }, name);
    }
    const remove = (value: string) =>
      askNeighbour('PATCH', path, { Operations: [{ op: 'remove', path: `members[value eq "${value}"]` }] });
    t.equal((await sameAsNowhere(t, ids, remove)).status, 204, 'removing who is no member succeeds');
  }
  t.match((await askNeighbour('GET', path)).body, { meta: { version: 'W/"1"' }, members: undefined });
});

const FILTERS: readonly (readonly [endpoint: 'Users' | 'Groups', filter: (id: string) => string])[] = [
  ['Users', (id) => `id eq "${id}"`],
  ['Users', (id) => `id ge "${id}" and id le "${id}"`],
  ['Users', (id) => `meta.location co "${id}"`],
  ['Groups', (id) => `id eq "${id}"`],
  ['Groups', (id) => `members eq "${id}"`],
  ['Groups', (id) => `members.value eq "${id}"`],
  ['Groups', (id) => `members[value eq "${id}"]`],
  ['Groups', (id) => `members.$ref co "${id}"`],
  ['Users', (id) => `groups eq "${id}"`],
  ['Users', (id) => `groups.value eq "${id}"`],
  ['Users', (id) => `groups[value eq "${id}"]`],
  ['Users', (id) => `groups.$ref co "${id}"`],
];
t.test('filters find nothing of another directory of the tenant', async (t) => {
  await askNeighbour('POST', 'Users', { userName: 'neighbour' });
  for (const [endpoint, filter] of FILTERS) {
    for (const ids of Object.values(FOREIGN)) {
      const list = (id: string) =>
        askNeighbour('GET', `${endpoint}?filter=${encodeURIComponent(filter(id))}`);
      t.match(await sameAsNowhere(t, ids, list), { status: 200, body: { totalResults: 0 } }, filter('ID'));
      const search = (id: string) => askNeighbour('POST', `${endpoint}/.search`, { filter: filter(id) });
      t.match(await sameAsNowhere(t, ids, search), { status: 200, body: { totalResults: 0 } });
    }
  }
});

t.test('a manager is free text: whoever names an id learns nothing of who has it', async (t) => {
  const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
  await sameAsNowhere(t, FOREIGN.Users, async (value) => {
    const body = { userName: randomUUID(), [urn]: { manager: { value } } };
    const { status, body: created } = await askNeighbour('POST', 'Users', body);
    t.match({ status, created }, { status: 201, created: { [urn]: { manager: { value } } } });
    const filter = encodeURIComponent(`${urn}:manager eq "${value}"`);
    const found = await askNeighbour('GET', `Users?filter=${filter}&attributes=${urn}:manager`);
    t.match(found.body, { totalResults: 1, Resources: [{ id: created.id }] });
    return { ...found, text: found.text.replaceAll(String(created.id), 'NEW') };
  });
});

t.test('whatever was tried, the other directory is as it was', async (t) => {
  const { key } = await app.apiKey(victim.tenant, ['scim'], { directory: victim.directory });
  const [user, group] = [
    await app.send('GET', `/api/scim/v2/Users/${victim.user}`, { key }),
    await app.send('GET', `/api/scim/v2/Groups/${victim.group}`, { key }),
  ];
  t.match(user.body, {
    userName: 'victim',
    groups: [{ value: victim.group }],
    meta: { version: /^W\/"1[."]/ },
  });
  t.match(group.body, { members: [{ value: victim.user }], meta: { version: 'W/"1"' } });
});
