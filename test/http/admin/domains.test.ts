import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { startApp } from '../../support/app.ts';

/** What DNS says in these tests. */
const dns = new Map<string, string[]>();
const asked: string[] = [];
const NOW = new Date('2026-03-04T05:06:07.000Z');
const app = await startApp(t, {
  now: () => NOW,
  resolveTxt: async (name) => {
    asked.push(name);
    return dns.get(name) ?? [];
  },
});

interface DomainBody {
  readonly name: string;
  readonly state: string;
  readonly verifiedAt: string | null;
  readonly verifiedBy: string | null;
  readonly jit: boolean;
  readonly grants: readonly {
    readonly team: { readonly id: string; readonly name: string };
    readonly role: string;
  }[];
  readonly identityProvider: string | null;
  readonly record: { readonly name: string; readonly type: string; readonly value: string };
}

const pathOf = ({ id }: Pick<Tenant, 'id'>) => `/tenants/${id}/domains`;
const create = (tenant: Tenant, body: object) => app.admin<DomainBody>('POST', pathOf(tenant), body);
const verify = (tenant: Tenant, name: string, body?: object) =>
  app.admin<DomainBody>('POST', `${pathOf(tenant)}/${name}/verify`, body);
const teamOf = async ({ id }: Tenant, name: string, kind = 'team') =>
  (await app.admin<{ id: string }>('POST', `/tenants/${id}/teams`, { name, kind })).body.id;

/** The events of the tenant's domains. */
async function told({ id }: Tenant) {
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `/tenants/${id}/events?limit=1000`);
  return body.events.filter(({ resource }) => resource.type === 'Domain');
}

t.test('a domain is claimed, proved by its TXT record, and all of it is told', async (t) => {
  const tenant = await app.createTenant();
  const team = await teamOf(tenant, 'Everybody');
  const { status, body: claimed } = await create(tenant, {
    name: 'Acme.Example',
    jit: true,
    grants: [{ team: 'Everybody', role: 'viewer' }],
  });
  t.equal(status, 201);
  t.match(claimed, {
    name: 'acme.example',
    state: 'pending',
    verifiedAt: null,
    verifiedBy: null,
    jit: true,
    grants: [{ team: { id: team, name: 'Everybody', kind: 'team' }, role: 'VIEWER' }],
    identityProvider: null,
    record: {
      name: '_rollcall-challenge.acme.example',
      type: 'TXT',
      value: /^rollcall-domain-verification=[\w-]{32}$/,
    },
  });

  const early = await verify(tenant, 'acme.example');
  t.match(early, { status: 409, body: { reason: 'record_missing' } });
  t.match(early.body, { hint: new RegExp(claimed.record.value) });
  dns.set(claimed.record.name, ['v=spf1 -all']);
  t.match(await verify(tenant, 'acme.example', { by: 'dns' }), { status: 409 });

  dns.set(claimed.record.name, ['v=spf1 -all', claimed.record.value]);
  const { body: verified } = await verify(tenant, 'ACME.example');
  t.match(verified, { state: 'verified', verifiedAt: NOW.toISOString(), verifiedBy: 'dns' });
  asked.length = 0;
  t.same((await verify(tenant, 'acme.example')).body, verified, 'again changes nothing');
  t.same(asked, [], 'and asks nobody');
  t.same((await app.admin('GET', `${pathOf(tenant)}/acme.example`)).body, verified);

  const { body: changed } = await app.admin('PATCH', `${pathOf(tenant)}/acme.example`, { grants: [] });
  t.same(changed, { ...verified, grants: [] });
  t.same((await app.admin('PATCH', `${pathOf(tenant)}/acme.example`, { jit: true })).body, changed);
  t.equal((await app.admin('DELETE', `${pathOf(tenant)}/acme.example`)).status, 204);
  t.equal((await app.admin('GET', `${pathOf(tenant)}/acme.example`)).status, 404);
  t.same(
    (await told(tenant)).map(({ type }) => type),
    ['domain.created', 'domain.verified', 'domain.updated', 'domain.deleted'],
  );
});

t.test('only the operator vouches for a domain, and DNS is not asked then', async (t) => {
  const tenant = await app.createTenant();
  await create(tenant, { name: 'acme.example' });
  const { key } = await app.apiKey(tenant, ['admin']);
  const path = `/api/admin/v1${pathOf(tenant)}/acme.example/verify`;
  asked.length = 0;
  t.match(await app.send('POST', path, { key, body: { by: 'operator' } }), {
    status: 403,
    body: { reason: 'operator_only' },
  });
  t.match((await verify(tenant, 'acme.example', { by: 'operator' })).body, {
    state: 'verified',
    verifiedBy: 'operator',
  });
  t.same(asked, []);
});

t.test('the record of one tenant proves nothing for another', async (t) => {
  const [owner, other] = [await app.createTenant(), await app.createTenant()];
  const { record } = (await create(owner, { name: 'mine.example' })).body;
  t.equal((await create(other, { name: 'mine.example' })).status, 201, 'anybody may claim it');
  dns.set(record.name, [record.value]);
  t.equal((await verify(owner, 'mine.example')).status, 200);
  t.match(await verify(other, 'mine.example'), { status: 409, body: { reason: 'record_missing' } });
});

const REFUSED: readonly (readonly [name: string, reason: string])[] = [
  ['*.acme.example', 'not_a_domain'],
  ['example', 'not_a_domain'],
  ['acme.example.', 'not_a_domain'],
  ['.acme.example', 'not_a_domain'],
  ['ada@acme.example', 'not_a_domain'],
  ['https://acme.example', 'not_a_domain'],
  ['acme.example/x', 'not_a_domain'],
  ['acme%2eexample', 'not_a_domain'],
  ['acme.example:443', 'not_a_domain'],
  ['-acme.example', 'not_a_domain'],
  ['192.0.2.1', 'not_a_domain'],
  ['0x7f.1', 'not_a_domain'],
  [`${'a'.repeat(64)}.example`, 'not_a_domain'],
  [`${'a.'.repeat(114)}example`, 'not_a_domain'],
  ['gmail.com', 'public_domain'],
  ['Outlook.COM', 'public_domain'],
];
t.test("what is no domain, or everybody's, is refused where it stands", async (t) => {
  const tenant = await app.createTenant();
  for (const [name, reason] of REFUSED) {
    t.match(await create(tenant, { name }), { status: 400, body: { reason, pointer: '/name' } }, name);
  }
  t.match(await create(tenant, { name: 'Bücher.example' }), {
    status: 201,
    body: { name: 'xn--bcher-kva.example' },
  });
  t.match(await create(tenant, { name: 'BÜCHER.example' }), { status: 409, body: { reason: 'name_taken' } });
  t.equal((await app.admin('GET', `${pathOf(tenant)}/b%C3%BCcher.example`)).status, 200);
  t.equal((await app.admin('GET', `${pathOf(tenant)}/*.example`)).status, 404);
});

t.test('what a domain gives names a team and a role that are there', async (t) => {
  const tenant = await app.createTenant();
  const [team] = [await teamOf(tenant, 'Both'), await teamOf(tenant, 'Both', 'case_group')];
  const refused = async (grants: object[], body: object) =>
    t.match(await create(tenant, { name: 'acme.example', grants }), { status: 400, body });
  await refused([{ team: 'None', role: 'VIEWER' }], { reason: 'unknown_team', pointer: '/grants/0/team' });
  await refused([{ team: 'Both', role: 'VIEWER' }], { reason: 'ambiguous_team', pointer: '/grants/0/team' });
  await refused([{ team, role: 'KING' }], {
    reason: 'unknown_role',
    pointer: '/grants/0/role',
    hint: /EDITOR/,
  });
  const twice = [
    { team, role: 'VIEWER' },
    { team: team.toUpperCase(), role: 'EDITOR' },
  ];
  await refused(twice, { reason: 'team_twice', pointer: '/grants/1/team' });
  t.match(await create(tenant, { name: 'acme.example', grants: [{ team, role: 'Editor' }] }), {
    status: 201,
  });

  t.equal((await app.admin('DELETE', `/tenants/${tenant.id}/teams/${team}`)).status, 204);
  const { body } = await app.admin<DomainBody>('GET', `${pathOf(tenant)}/acme.example`);
  t.same(body.grants, [], 'a team that is gone is given no more');
});

t.test('domains are listed by name, page by page, and there are 100 at most', async (t) => {
  const tenant = await app.createTenant();
  const names = Array.from({ length: 100 }, (_, at) => `d${String(at).padStart(2, '0')}.example`);
  for (const name of names.toReversed()) await create(tenant, { name });
  t.match(await create(tenant, { name: 'more.example' }), {
    status: 409,
    body: { reason: 'too_many_domains' },
  });
  interface Page {
    readonly domains: readonly DomainBody[];
    readonly next?: string;
  }
  const seen: string[] = [];
  let next: string | undefined;
  do {
    const query: string = next === undefined ? '' : `&after=${next}`;
    const { body } = await app.admin<Page>('GET', `${pathOf(tenant)}?limit=40${query}`);
    seen.push(...body.domains.map(({ name }) => name));
    next = body.next;
  } while (next !== undefined);
  t.same(seen, names);
});

t.test('a claim that was given up while DNS was asked is not proved, nor the one after it', async (t) => {
  const tenant = await app.createTenant();
  const { record } = (await create(tenant, { name: 'gone.example' })).body;
  const other = await startApp(t, {
    connectionString: app.connectionString,
    resolveTxt: async () => {
      await app.admin('DELETE', `${pathOf(tenant)}/gone.example`);
      await create(tenant, { name: 'gone.example' });
      return [record.value];
    },
  });
  const { body } = await other.admin('POST', `${pathOf(tenant)}/gone.example/verify`);
  t.match(body, { state: 'pending' });
});

t.test('a domain is bound by any spelling of its name, and is not given up while it is', async (t) => {
  const tenant = await app.createTenant();
  const providers = `/tenants/${tenant.id}/identity-providers`;
  t.equal((await create(tenant, { name: 'münchen.example' })).status, 201);
  await app.admin('POST', providers, { name: 'okta', kind: 'claims', jit: 'off' });
  t.match(await app.admin('PATCH', `${providers}/okta`, { domains: ['MÜNCHEN.example'] }), {
    status: 200,
    body: { domains: ['xn--mnchen-3ya.example'] },
  });
  for (const name of ['*.example', '', 'other.example']) {
    t.match(await app.admin('PATCH', `${providers}/okta`, { domains: [name] }), {
      status: 400,
      body: { reason: 'unknown_domain', pointer: '/domains/0' },
    });
  }
  const path = `${pathOf(tenant)}/xn--mnchen-3ya.example`;
  t.match(await app.admin('DELETE', path), {
    status: 409,
    body: { reason: 'domain_bound', detail: /"okta"/, hint: /domains/ },
  });
  t.match(await app.admin('GET', path), { body: { identityProvider: 'okta' } });
  await app.admin('PATCH', `${providers}/okta`, { domains: [] });
  t.equal((await app.admin('DELETE', path)).status, 204);
});
