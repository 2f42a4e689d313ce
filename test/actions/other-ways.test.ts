import { randomUUID } from 'node:crypto';
import t from 'tap';
import { v7 as uuid } from 'uuid';
import { acceptanceTold, doorsOf, opened, waysIn } from '../../src/actions/other-ways.ts';
import { type Actor, actorJson } from '../../src/context.ts';
import { lockInvitation, lockOwners, lockTenantShared, lockUsers } from '../../src/db/locks.ts';
import { conversation } from '../../src/db/transaction.ts';
import type { FeedPage } from '../../src/events/feed.ts';
import { reconcileLocked } from '../../src/reconcile/reconcile.ts';
import { foldText } from '../../src/scim/fold.ts';
import { acceptInvitation } from '../../src/tenants/invitations.ts';
import { type OtherWays, readOtherWays } from '../../src/tenants/other-ways.ts';
import { startApp } from '../support/app.ts';
import { makeProvider } from '../support/gateway.ts';

/** Invitation → group mapping → domain of the e-mail address → default team of the identity provider. */

const grant = (name: string, role: string) => ({ team: { id: name, name, kind: 'team' as const }, role });
const NONE: OtherWays = { invitation: null, domain: null, defaultTeam: null };
const INVITED: OtherWays = { ...NONE, invitation: { id: 'i', grants: [grant('Blue', 'EDITOR')] } };
type Domain = NonNullable<OtherWays['domain']>;
const domain = (more: Partial<Domain> = {}): Domain => ({
  jit: true,
  bound: null,
  grants: [grant('Everybody', 'VIEWER')],
  ...more,
});
const IN_DOMAIN: OtherWays = { ...NONE, domain: domain() };
const WITH_DEFAULT: OtherWays = { ...NONE, defaultTeam: grant('Default', 'VIEWER') };

const DOORS: readonly (readonly [what: string, ways: OtherWays, opens: boolean])[] = [
  ['nothing on record', NONE, false],
  ['a pending invitation', INVITED, true],
  ['a domain with JIT', IN_DOMAIN, true],
  ['a domain without JIT', { ...NONE, domain: domain({ jit: false }) }, false],
  ['a domain that is bound to this identity provider', { ...NONE, domain: domain({ bound: 'here' }) }, false],
  ['a domain that is bound to another', { ...NONE, domain: domain({ bound: 'elsewhere' }) }, false],
  ['an invitation into a domain that is bound here', { ...INVITED, domain: domain({ bound: 'here' }) }, true],
  ['an invitation into one bound elsewhere', { ...INVITED, domain: domain({ bound: 'elsewhere' }) }, false],
  ['a default team', WITH_DEFAULT, false],
];
t.test('an invitation or the domain lets a stranger in, but not where SCIM alone provisions', async (t) => {
  for (const [what, ways, opens] of DOORS) {
    const opensFor = (provisioning: 'combined' | 'jit' | 'scim', emailVerified = true) => {
      const { invited, domainOpens } = opened(doorsOf(ways, { emailVerified }), provisioning);
      return invited || domainOpens;
    };
    t.equal(opensFor('combined'), opens, what);
    t.equal(opensFor('jit'), opens, what);
    t.equal(opensFor('scim'), false, what);
    t.equal(opensFor('combined', false), false, `${what}, and the address is not verified`);
  }
});

t.test(
  'what waits for an address to be verified is known, and a proved domain counts where it is not bound elsewhere',
  async (t) => {
    const unverified = (ways: OtherWays) => doorsOf(ways, { emailVerified: false });
    t.same(unverified(NONE).waiting, { invitation: false, domain: false });
    t.same(unverified(INVITED).waiting, { invitation: true, domain: false });
    t.same(unverified(IN_DOMAIN).waiting, { invitation: false, domain: true });
    t.same(unverified({ ...INVITED, domain: domain({ bound: 'elsewhere' }) }).waiting, {
      invitation: false,
      domain: false,
    });
    for (const [bound, counts] of [
      [null, true],
      ['here', true],
      ['elsewhere', false],
    ] as const) {
      const ways = { ...NONE, domain: domain({ bound }) };
      t.equal(doorsOf(ways, { emailVerified: true }).domainVerified, counts, String(bound));
      t.equal(unverified(ways).domainVerified, false);
    }
  },
);

const NEW = { userId: 'ada', isNew: true, isManaged: false };
const KNOWN = { ...NEW, isNew: false };
const MANAGED = { ...KNOWN, isManaged: true };
const ALL: OtherWays = { ...INVITED, domain: domain(), defaultTeam: grant('Default', 'VIEWER') };
const SAME: OtherWays = {
  invitation: { id: 'i', grants: [grant('Blue', 'EDITOR')] },
  domain: domain({ grants: [grant('Blue', 'VIEWER'), grant('Red', 'VIEWER')] }),
  defaultTeam: grant('Red', 'TEAM_ADMIN'),
};
const GIVEN: readonly (readonly [what: string, ways: OtherWays, person: typeof NEW, edits: string[]])[] = [
  [
    'a stranger gets of every way',
    ALL,
    NEW,
    ['Blue EDITOR invitation', 'Everybody VIEWER email_domain', 'Default VIEWER manual'],
  ],
  ['who is known gets what they are invited to', ALL, KNOWN, ['Blue EDITOR invitation']],
  ['whom a directory manages gets nothing', ALL, MANAGED, []],
  ['one team is given by the first way', SAME, NEW, ['Blue EDITOR invitation', 'Red VIEWER email_domain']],
  ['a domain without JIT gives nothing', { ...NONE, domain: domain({ jit: false }) }, NEW, []],
  ['a bound domain gives nothing', { ...NONE, domain: domain({ bound: 'here' }) }, NEW, []],
];
t.test('what each way gives, and to whom', async (t) => {
  for (const [what, ways, person, expected] of GIVEN) {
    const { edits, invitationId } = waysIn(ways, person, 'combined');
    t.same(
      edits.map(({ targetId, role, origin }) => `${targetId} ${role} ${origin}`),
      expected,
      what,
    );
    t.equal(invitationId, person.isManaged ? null : (ways.invitation?.id ?? null), what);
  }
  t.same(
    waysIn(IN_DOMAIN, NEW, 'scim').edits,
    [],
    'by a domain nobody gets anything where SCIM alone provisions',
  );
  t.match(waysIn(INVITED, KNOWN, 'scim').edits, [{ origin: 'invitation' }]);
});

const NOW = new Date('2026-03-04T05:06:07.000Z');
const app = await startApp(t, { now: () => NOW });
const actor: Actor = { principal: { kind: 'system', name: 'test' }, requestId: 'test' };

/** What a sign-in does of it, as one conversation. */
function arrive(tenantId: string, email: string, userId: string, identityProviderId: string = randomUUID()) {
  const occasion = { tenantId, actor, at: NOW, changeId: uuid() };
  return conversation(app.context.db, tenantId, async (send) => {
    const [, , , [ways]] = await send([
      lockTenantShared(tenantId),
      lockUsers(tenantId, [userId]),
      lockInvitation(tenantId, foldText(email)),
      readOtherWays(tenantId, { email, identityProviderId }, NOW),
    ]);
    const { edits, invitationId } = waysIn(
      ways ?? NONE,
      { userId, isNew: true, isManaged: false },
      'combined',
    );
    const accepted = invitationId === null ? undefined : { invitationId, userId };
    await send([
      lockOwners(tenantId),
      ...(accepted ? [acceptInvitation(tenantId, accepted, NOW), acceptanceTold(occasion, accepted)] : []),
      reconcileLocked(
        tenantId,
        { at: NOW, actor: actorJson(actor) },
        { changeId: occasion.changeId, requestId: 'test' },
        { users: 1, edits },
      ),
    ]);
    return ways ?? NONE;
  });
}

/** A tenant with teams, and what the admin API shows of a user. */
async function newTenant() {
  const { id } = await app.createTenant();
  const root = `/tenants/${id}`;
  for (const name of ['Blue', 'Everybody', 'Default']) await app.admin('POST', `${root}/teams`, { name });
  interface UserBody {
    readonly id: string;
    readonly memberships: readonly {
      readonly team: { readonly name: string };
      readonly role: string;
      readonly origin: string;
    }[];
  }
  return {
    id,
    root,
    user: async (userName: string) =>
      (await app.admin<UserBody>('POST', `${root}/users`, { userName })).body.id,
    holds: async (userId: string) =>
      (await app.admin<UserBody>('GET', `${root}/users/${userId}`)).body.memberships
        .map(({ team, role, origin }) => `${team.name} ${role} ${origin}`)
        .sort(),
    domain: async (name: string, { verified = true } = {}) => {
      await app.admin('POST', `${root}/domains`, {
        name,
        jit: true,
        grants: [{ team: 'Everybody', role: 'VIEWER' }],
      });
      if (verified) await app.admin('POST', `${root}/domains/${name}/verify`, { by: 'operator' });
    },
    invite: async (email: string) =>
      (
        await app.admin<{ id: string }>('POST', `${root}/invitations`, {
          email,
          grants: [{ team: 'Blue', role: 'EDITOR' }],
        })
      ).body.id,
  };
}

t.test('who comes in gets what is on record of their address, each grant with its origin', async (t) => {
  const tenant = await newTenant();
  await tenant.domain('acme.example');
  const invitation = await tenant.invite('Ada@acme.example');
  const team = await app.admin<{ teams: { id: string }[] }>('GET', `${tenant.root}/teams?name=Default`);
  const defaultTeam = { team: String(team.body.teams[0]?.id), role: 'VIEWER' };
  const provider = await makeProvider(app, tenant.id, { name: 'okta', defaultTeam });
  const ada = await tenant.user('ada');
  await arrive(tenant.id, 'ada@ACME.example', ada, provider);
  t.same(await tenant.holds(ada), [
    'Blue EDITOR invitation',
    'Default VIEWER manual',
    'Everybody VIEWER email_domain',
  ]);
  t.match((await app.admin('GET', `${tenant.root}/invitations/${invitation}`)).body, {
    state: 'accepted',
    userId: ada,
  });
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `${tenant.root}/events?type=invitation.accepted`);
  t.match(body.events, [{ resource: { id: invitation }, after: { userId: ada } }]);

  const bob = await tenant.user('bob');
  await arrive(tenant.id, 'ada@acme.example', bob);
  t.same(await tenant.holds(bob), ['Everybody VIEWER email_domain'], 'an invitation is accepted once');
});

t.test('only what is verified, of this tenant and of exactly this domain is on record', async (t) => {
  const [tenant, other] = [await newTenant(), await newTenant()];
  await tenant.domain('pending.example', { verified: false });
  await tenant.domain('acme.example');
  await other.domain('other.example');
  await other.invite('ada@nowhere.example');
  const ada = await tenant.user('ada');
  for (const email of [
    'ada@pending.example',
    'ada@sub.acme.example',
    'ada@other.example',
    'ada@nowhere.example',
    '@',
    'ada',
  ]) {
    t.same(await arrive(tenant.id, email, ada), NONE, email);
  }
  t.same(await tenant.holds(ada), []);
});

t.test('without an address nothing is on record', async (t) => {
  const tenant = await newTenant();
  await tenant.domain('acme.example');
  const ways = readOtherWays(tenant.id, { email: null, identityProviderId: randomUUID() }, NOW);
  t.same(await conversation(app.context.db, tenant.id, (send) => send([ways])), [[NONE]]);
});

t.test('who revokes while a sign-in counts on the invitation is told that it was accepted', async (t) => {
  const tenant = await newTenant();
  const invitation = await tenant.invite('ada@acme.example');
  const ada = await tenant.user('ada');
  const path = `${tenant.root}/invitations/${invitation}`;
  const [, revoked] = await Promise.all([
    arrive(tenant.id, 'ada@acme.example', ada),
    app.admin('DELETE', path),
  ]);
  const { body } = await app.admin<{ state: string }>('GET', path);
  t.same(await tenant.holds(ada), body.state === 'accepted' ? ['Blue EDITOR invitation'] : []);
  t.equal(revoked.status, body.state === 'accepted' ? 409 : 204);
});
