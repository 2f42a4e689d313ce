import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { UserView } from '../../../src/http/admin/user-shape.ts';
import { startApp } from '../../support/app.ts';
import { makeProvider } from '../../support/gateway.ts';
import { ADA, newSignInWorld } from '../../support/sign-in.ts';

/** Sign-ins through the door, by claims: who comes in, and what they hold then. Each name is a rule. */

const app = await startApp(t);
const EDITOR = 'Incident Response EDITOR jit:okta';
const VIEWER = 'Forensics VIEWER jit:okta';
const without = (name: keyof typeof ADA) =>
  Object.fromEntries(Object.entries(ADA).filter(([key]) => key !== name));

t.test(
  'somebody unknown is created, with what their groups give, and all that a session needs',
  async (t) => {
    const { post, response, holds } = await newSignInWorld(app);
    const { status, body, headers } = await post(ADA);
    t.equal(status, 201);
    t.equal(headers['cache-control'], 'no-store');
    const { id } = body.user;
    t.same(body, {
      outcome: 'created',
      user: {
        id,
        userName: 'ada@acme.test',
        externalId: null,
        productUserId: null,
        displayName: null,
        givenName: 'Ada',
        familyName: 'King',
        email: 'ada@acme.test',
        avatar: null,
        active: true,
        managedBy: 'jit:okta',
      },
      access: {
        signIn: 'allow',
        tenantOwner: false,
        permissions: [],
        teams: [
          {
            id: response,
            name: 'Incident Response',
            kind: 'team',
            role: 'EDITOR',
            managedBy: 'jit:okta',
            via: ['Analysts'],
          },
        ],
      },
      identityProviderGroups: { state: 'list', groups: ['Analysts'] },
      changes: [
        {
          change: 'add',
          team: 'Incident Response',
          teamId: response,
          kind: 'team',
          role: 'EDITOR',
          was: null,
        },
      ],
      warnings: [],
    });
    t.same(await holds(id), [EDITOR]);
  },
);

t.test(
  'the same person is recognised by (identity provider, subject), whatever else has changed',
  async (t) => {
    const { post, count } = await newSignInWorld(app);
    const { body: first } = await post(ADA);
    const { status, body } = await post({ ...ADA, email: 'ada.lovelace@acme.test', given_name: 'Augusta' });
    t.equal(status, 200);
    t.match(body, {
      outcome: 'unchanged',
      user: { id: first.user.id, email: 'ada@acme.test', givenName: 'Ada' },
    });
    t.equal(await count('scim_user'), 1);
  },
);

t.test('enhanced JIT gives and takes at every sign-in; standard JIT gives once', async (t) => {
  for (const jit of ['enhanced', 'standard'] as const) {
    const { post, holds } = await newSignInWorld(app, { jit });
    const { id } = (await post(ADA)).body.user;
    const { body } = await post({ ...ADA, groups: ['Hunters'] });
    t.same(await holds(id), jit === 'enhanced' ? [VIEWER] : [EDITOR], jit);
    t.match(body, { outcome: jit === 'enhanced' ? 'updated' : 'unchanged' });
    if (jit === 'enhanced') {
      t.match(body.changes, [
        { change: 'add', team: 'Forensics', role: 'VIEWER' },
        { change: 'remove', team: 'Incident Response', role: null, was: 'EDITOR' },
      ]);
    }
  }
});

const OVERAGE = { ...without('groups'), _claim_names: { groups: 'src1' } };
const ABSENT = ['absent', [EDITOR], [{ code: 'groups_absent' }]] as const;
const STATES = [
  ['a list', { ...ADA, groups: ['Hunters'] }, 'list', [VIEWER], []],
  ['an empty list', { ...ADA, groups: [] }, 'empty', [], []],
  ['no list', without('groups'), ...ABSENT],
  ['null, as Go writes a slice that is nil', { ...ADA, groups: null }, ...ABSENT],
  ['an empty text', { ...ADA, groups: '' }, ...ABSENT],
  ['a list of nothing but an empty text', { ...ADA, groups: [''] }, ...ABSENT],
  ['a list with null in it', { ...ADA, groups: ['Hunters', null] }, ...ABSENT],
  ['a list with an object in it', { ...ADA, groups: ['Hunters', { name: 'Analysts' }] }, ...ABSENT],
  ['a list of lists', { ...ADA, groups: [['Hunters']] }, ...ABSENT],
  ['false', { ...ADA, groups: false }, ...ABSENT],
  ['a list with a boolean in it', { ...ADA, groups: ['Hunters', true] }, ...ABSENT],
  ['too many to be listed', OVERAGE, 'overage', [EDITOR], [{ code: 'groups_overage' }]],
] as const;
for (const [what, claims, state, held, warnings] of STATES) {
  t.test(`groups in four states: ${what}; unknown is not empty, and takes nothing away`, async (t) => {
    const { post, holds, ask } = await newSignInWorld(app);
    const { id } = (await post(ADA)).body.user;
    const { status, body } = await post(claims);
    t.equal(status, 200);
    t.match(body, { identityProviderGroups: { state }, warnings });
    t.equal(body.warnings.length, warnings.length);
    t.same(await holds(id), held);
    const told = state === 'list' ? ['Hunters'] : state === 'empty' ? [] : ['Analysts'];
    const { identityProviderGroups } = (await ask<UserView>('GET', `/users/${id}`)).body;
    t.match(identityProviderGroups, [{ source: 'jit:okta', state, groups: told }], 'as last told');
  });
  t.test(`a first sign-in with ${what} creates the user`, async (t) => {
    const { post } = await newSignInWorld(app);
    const { status, body } = await post(claims);
    t.equal(status, 201);
    t.equal(body.access.teams.length, state === 'list' ? 1 : 0);
  });
}

t.test('a provider can declare that an absent list means none', async (t) => {
  const { post, holds } = await newSignInWorld(app, { settings: { absentGroups: 'none' } });
  const { id } = (await post(ADA)).body.user;
  t.match((await post(without('groups'))).body, { identityProviderGroups: { state: 'empty' }, warnings: [] });
  t.same(await holds(id), []);
});

t.test(
  'a person whom SCIM provisioned signs in at once, whatever the mode, and JIT changes no team',
  async (t) => {
    for (const jit of ['off', 'standard', 'enhanced'] as const) {
      const { post, user, group, holds, scim } = await newSignInWorld(app, { jit });
      const id = await user('ada@acme.test', { externalId: '00u1', name: { givenName: 'A.' } });
      await group('Hunters', [id]);
      const { version } = (await scim.ask('GET', `/Users/${id}`)).body.meta;
      const { status, body } = await post(ADA);
      t.equal(status, 200);
      t.match(body, {
        outcome: 'linked',
        user: { id, givenName: 'A.', managedBy: 'scim:default' },
        access: {
          signIn: 'allow',
          teams: [{ name: 'Forensics', managedBy: 'scim:default', via: ['Hunters'] }],
        },
        changes: [],
      });
      t.equal(body.changes.length, 0);
      t.equal((await post({ ...ADA, groups: ['IT Admins'] })).body.outcome, 'unchanged');
      t.same(await holds(id), ['Forensics VIEWER scim:default'], jit);
      t.equal(
        (await scim.ask('GET', `/Users/${id}`)).body.meta.version,
        version,
        'the resource is as it was',
      );
    }
  },
);

t.test(
  'who is managed is matched by externalId, then by userName; a verified e-mail address is one',
  async (t) => {
    const cases = [
      ['externalId', { userName: 'x', externalId: '00u1' }, ADA, 200],
      ['userName', { userName: 'ADA@acme.test' }, ADA, 200],
      ['preferred_username', { userName: 'ada' }, { ...ADA, preferred_username: 'Ada' }, 200, 'okta'],
      ['a name that the person may choose', { userName: 'ada' }, { ...ADA, preferred_username: 'Ada' }, 201],
      ['a name that only looks like it', { userName: 'ada' }, { ...ADA, sub: '\uff21da' }, 201],
      ['an unverified address', { userName: 'ada@acme.test' }, { ...ADA, email_verified: false }, 409],
      ['externalId in another case', { userName: 'x', externalId: '00U1' }, ADA, 201],
    ] as const;
    for (const [what, { userName, ...attributes }, claims, status, preset = null] of cases) {
      const { post, user } = await newSignInWorld(app, { settings: { preset } });
      const id = await user(userName, attributes);
      const answer = await post(claims);
      t.equal(answer.status, status, what);
      if (status === 200) t.equal(answer.body.user.id, id, what);
    }
  },
);

t.test('matching can be narrowed or switched off', async (t) => {
  for (const [matchManaged, status] of [
    [['externalId'], 409],
    [[], 409],
    [['userName'], 200],
  ] as const) {
    const { post, user } = await newSignInWorld(app, { settings: { matchManaged } });
    await user('ada@acme.test');
    t.equal((await post(ADA)).status, status, matchManaged.join());
  }
});

t.test(
  'two directories with one externalId leave it open who is meant: a conflict, and nobody is linked',
  async (t) => {
    const { post, user, directory, count } = await newSignInWorld(app);
    await user('ada', { externalId: '00u1' });
    await (await directory('entra')).user('ada2', { externalId: '00u1' });
    t.match(await post(ADA), { status: 409, body: { reason: 'link_conflict', conflict: 'ambiguous' } });
    t.equal(await count('identity_link'), 0);
  },
);

t.test('of two identity providers each has its own subjects, and its own grants', async (t) => {
  const { post, tenant, holds, count, set } = await newSignInWorld(app);
  await makeProvider(app, tenant.id, { name: 'entra' });
  const { id } = (await post(ADA)).body.user;
  t.match(await post({ ...ADA, groups: ['Hunters'] }, { provider: 'entra' }), {
    status: 409,
    body: { conflict: 'user_name_taken' },
  });
  await set({ linkByEmail: 'verified_domains' });
  await app.context.db.pool.query(
    `insert into domain values ($1, 'acme.test', 'x', now(), 'operator', false, '[]', now())`,
    [tenant.id],
  );
  const linked = await post({ ...ADA, groups: ['Hunters'] }, { provider: 'entra' });
  t.match(linked.body, { outcome: 'linked', user: { id } });
  t.same(await holds(id), ['Forensics VIEWER jit:entra', EDITOR]);
  t.equal((await post({ ...ADA, sub: '00u2', email: 'bob@acme.test' }, { provider: 'entra' })).status, 201);
  t.equal(await count('identity_link'), 3);
});

t.test(
  'an e-mail address links only where all holds: setting, proved domain, verified claim, plain user',
  async (t) => {
    const proved = `insert into domain values ($1, $2, 'x', now(), 'operator', false, '[]', now())`;
    const cases = [
      ['all holds', {}, ADA, 200],
      ['the setting is off', { linkByEmail: 'never' }, ADA, 409],
      ['the domain is not proved', { domain: 'else.test' }, ADA, 409],
      ['a subdomain is another domain', { domain: 'corp.acme.test' }, ADA, 409],
      ['the claim is not verified', {}, { ...ADA, email_verified: false }, 409],
      ['the user is an owner', { owner: true }, ADA, 409],
      ['the user is managed and not matched', { managed: true }, ADA, 409],
    ] as const;
    for (const [what, rest, claims, status] of cases) {
      const {
        linkByEmail = 'verified_domains',
        domain = 'acme.test',
        owner,
        managed,
      } = rest as {
        linkByEmail?: 'never';
        domain?: string;
        owner?: boolean;
        managed?: boolean;
      };
      const settings = { matchManaged: [] };
      const world = await newSignInWorld(app, { settings }, { linkByEmail });
      const id = managed ? await world.user('ada@acme.test') : await world.byHand('Ada@Acme.test');
      await app.context.db.pool.query(proved, [world.tenant.id, domain]);
      if (owner) await world.ask('PUT', `/owners/${id}`);
      const answer = await world.post(claims);
      t.equal(answer.status, status, what);
      t.equal(await world.count('scim_user'), 1, what);
      t.equal(await world.count('identity_link'), status === 200 ? 1 : 0, what);
      if (status === 200) {
        t.match(
          answer.body,
          { outcome: 'linked', user: { id, userName: 'Ada@Acme.test' } },
          'its name stays',
        );
      }
    }
  },
);

t.test(
  'a conflict stands once in the inbox, however often it is met, and the feed tells it once',
  async (t) => {
    const { post, byHand, eventsOf, tenant } = await newSignInWorld(app);
    const id = await byHand('ada@acme.test');
    const events = await eventsOf(async () => {
      for (const _ of [1, 2]) t.match(await post(ADA), { status: 409, body: { reason: 'link_conflict' } });
    });
    t.same(
      events.map(({ type }) => type),
      ['sign_in.conflict_found', 'sign_in.refused', 'sign_in.refused'],
    );
    t.match(events[0], { resource: { id }, after: { reason: 'user_name_taken', subject: '00u1' } });
    const { rows } = await app.context.db.pool.query(
      'select state, times from sign_in_conflict where tenant_id = $1',
      [tenant.id],
    );
    t.same(rows, [{ state: 'open', times: 2 }]);
  },
);

t.test('who is rejected by an admin stays out', async (t) => {
  const { post, byHand, tenant } = await newSignInWorld(app);
  await byHand('ada@acme.test');
  await post(ADA);
  await app.context.db.pool.query(`update sign_in_conflict set state = 'rejected' where tenant_id = $1`, [
    tenant.id,
  ]);
  t.match(await post(ADA), { status: 403, body: { code: 'forbidden', reason: 'rejected' } });
});

t.test('the deactivated are refused, and never revived', async (t) => {
  const { post, user, activate, holds } = await newSignInWorld(app);
  const id = await user('ada@acme.test', { externalId: '00u1', active: false });
  t.match(
    await post(ADA),
    { status: 403, body: { reason: 'deactivated', hint: /activate/ } },
    'not linked yet',
  );
  await activate(id, true);
  t.equal((await post(ADA)).status, 200);
  await activate(id, false);
  t.match(await post(ADA), { status: 403, body: { reason: 'deactivated' } }, 'linked');
  t.same(await holds(id), []);
});

t.test('the deprovisioned are refused until a directory creates them, or an admin lets them', async (t) => {
  const signedIn = { ...ADA, sub: '00u1' };
  const ends = {
    'SCIM creates them again': [async ({ user }: World) => void (await user('ada@acme.test')), 200],
    'an admin creates them again, and decides whether to link them': [
      async ({ byHand }: World) => void (await byHand('ada@acme.test')),
      409,
    ],
    'an admin allows it': [
      async ({ ask }: World, id: string) =>
        void t.equal((await ask('POST', `/users/${id}/allow-return`)).status, 204),
      201,
    ],
  } as const;
  type World = Awaited<ReturnType<typeof newSignInWorld>>;
  for (const [what, [lift, status]] of Object.entries(ends)) {
    const world = await newSignInWorld(app);
    const { post, user, scim, count } = world;
    const id = await user('ada@acme.test', { externalId: 'hr-1' });
    t.equal((await post(signedIn)).status, 200);
    t.equal((await scim.ask('DELETE', `/Users/${id}`)).status, 204);
    t.equal(await count('identity_link'), 0);
    for (const claims of [
      signedIn,
      { sub: '00u1' },
      { sub: 'other', email: 'ADA@acme.test' },
      { sub: 'other', preferred_username: 'Ada@acme.test' },
      { sub: 'hr-1' },
    ]) {
      t.match(await post(claims), { status: 403, body: { reason: 'deprovisioned' } }, JSON.stringify(claims));
    }
    t.equal(await count('scim_user'), 0, 'no ghost row');
    t.equal((await post({ sub: 'other', email: 'bob@acme.test' })).status, 201, 'nobody else is meant');
    await lift(world, id);
    const answer = await post({ ...signedIn, email: 'ada@acme.test' });
    t.equal(answer.status, status, what);
  }
});

t.test('who was made by sign-in and is deleted by an admin does not come back by signing in', async (t) => {
  const { post, ask } = await newSignInWorld(app);
  const { id } = (await post(ADA)).body.user;
  t.equal((await ask('DELETE', `/users/${id}`)).status, 204);
  t.match(await post({ sub: '00u1' }), { status: 403, body: { reason: 'deprovisioned' } });
  t.equal((await ask('POST', `/users/${id}/allow-return`)).status, 204);
  t.equal((await ask('POST', `/users/${id}/allow-return`)).status, 404, 'once');
  t.equal((await post(ADA)).status, 201);
});

t.test('the JIT switch governs creation and sync; every active user gets an access decision', async (t) => {
  const { post, holds, byHand, count, setProvider } = await newSignInWorld(app);
  const { id } = (await post(ADA)).body.user;
  await setProvider({ jit: 'off' });
  const { status, body } = await post({ ...ADA, groups: ['IT Admins'] });
  t.equal(status, 200);
  t.match(body, { outcome: 'unchanged', access: { signIn: 'allow', teams: [{ role: 'EDITOR' }] } });
  t.same(await holds(id), [EDITOR]);
  t.match(await post({ sub: 'new', email: 'new@acme.test' }), {
    status: 403,
    body: { reason: 'unknown_user' },
  });
  await byHand('bob@acme.test');
  t.equal(await count('scim_user'), 2);
});

t.test('provisioning "scim": sign-ins create nobody, and link whom SCIM has made', async (t) => {
  const { post, user, count } = await newSignInWorld(app, {}, { provisioning: 'scim' });
  t.match(await post(ADA), { status: 403, body: { reason: 'unknown_user' } });
  t.equal(await count('scim_user'), 0);
  await user('ada@acme.test');
  t.equal((await post(ADA)).body.outcome, 'linked');
});

t.test('provisioning "jit": SCIM writes nothing, sign-ins create', async (t) => {
  const { post, scim } = await newSignInWorld(app, {}, { provisioning: 'jit' });
  t.equal((await scim.ask('POST', '/Users', { userName: 'ada@acme.test' })).status, 403);
  t.equal((await post(ADA)).status, 201);
});

t.test('a directory adopts whom a sign-in made: from then on its groups give the teams', async (t) => {
  const { post, scim, group, holds } = await newSignInWorld(app);
  const { id } = (await post(ADA)).body.user;
  t.equal((await scim.ask('POST', '/Users', { userName: 'ada@acme.test' })).status, 409);
  await group('Hunters', [id]);
  t.same(await holds(id), ['Forensics VIEWER scim:default']);
  t.match((await post(ADA)).body, { outcome: 'unchanged', user: { id, managedBy: 'scim:default' } });
  t.same(await holds(id), ['Forensics VIEWER scim:default']);
});

t.test('unmappedUsers "deny": who holds nothing stays out, and is not created for it', async (t) => {
  const { post, count, holds } = await newSignInWorld(app, {}, { unmappedUsers: 'deny' });
  t.match(await post({ ...ADA, groups: ['Strangers'] }), { status: 403, body: { reason: 'unmapped' } });
  t.same([await count('scim_user'), await count('identity_link'), await count('jit_sync')], [0, 0, 0]);
  const { id } = (await post(ADA)).body.user;
  t.match(await post({ ...ADA, groups: [] }), { status: 403, body: { reason: 'unmapped' } });
  t.same(await holds(id), [], 'of who is known it stays what the sign-in said');
  t.equal((await post(ADA)).status, 200);
});

t.test('owners are made and unmade by the mapping alone, and the last one is kept', async (t) => {
  const { post, holds, grants } = await newSignInWorld(app);
  const { body } = await post({ ...ADA, groups: ['IT Admins'], roles: ['owner'], tenantOwner: true });
  t.equal(body.access.tenantOwner, true);
  const { id } = body.user;
  t.equal((await post(without('groups'))).body.access.tenantOwner, true, 'an unknown list demotes nobody');
  t.equal((await post({ ...ADA, groups: [] })).body.access.tenantOwner, true);
  t.same(await grants(id), ['retention']);
  const bob = (await post({ sub: 'bob', email: 'bob@acme.test', groups: ['IT Admins'] })).body.user;
  t.same(await holds(id), []);
  t.same(await holds(bob.id), ['owner']);
});

t.test("the provider's default team is given at creation, by hand, and never again", async (t) => {
  const world = await newSignInWorld(app);
  const { tenant, forensics, holds, ask, post } = world;
  await makeProvider(app, tenant.id, { name: 'welcome', defaultTeam: { team: forensics, role: 'VIEWER' } });
  const { body } = await post(ADA, { provider: 'welcome' });
  t.same(await holds(body.user.id), ['Forensics VIEWER manual', 'Incident Response EDITOR jit:welcome']);
  await ask('DELETE', `/teams/${forensics}/members/${body.user.id}`);
  await post({ ...ADA, groups: [] }, { provider: 'welcome' });
  t.same(await holds(body.user.id), []);
});

t.test(
  'the profile is written at creation, or always; never the e-mail address or the userName',
  async (t) => {
    for (const profileSync of ['create', 'always'] as const) {
      const { post, eventsOf } = await newSignInWorld(app, { settings: { profileSync } });
      await post(ADA);
      const said = {
        ...without('family_name'),
        given_name: 'Augusta',
        name: 'Countess',
        email: 'new@acme.test',
      };
      const events = await eventsOf(async () => {
        const { body } = await post(said);
        t.match(body.user, {
          givenName: profileSync === 'always' ? 'Augusta' : 'Ada',
          familyName: 'King',
          displayName: profileSync === 'always' ? 'Countess' : null,
          email: 'ada@acme.test',
          userName: 'ada@acme.test',
        });
        t.equal(body.outcome, profileSync === 'always' ? 'updated' : 'unchanged');
        t.equal((await post(said)).body.outcome, 'unchanged', 'the second time nothing differs');
      });
      t.same(
        events.map(({ type }) => type),
        [...(profileSync === 'always' ? ['user.updated'] : []), 'sign_in.accepted', 'sign_in.accepted'],
      );
    }
  },
);

t.test('a new user is called by e-mail address, else by name, else by subject', async (t) => {
  const cases = [
    [{ sub: 's', email: 'e@acme.test', preferred_username: 'p' }, 'e@acme.test'],
    [{ sub: 's', preferred_username: 'p' }, 's'],
    [{ sub: 's' }, 's'],
  ] as const;
  for (const [claims, userName] of cases) {
    const { post } = await newSignInWorld(app);
    t.equal((await post(claims)).body.user.userName, userName);
  }
  const { post, count } = await newSignInWorld(app, {}, { userNameMustBeEmail: true });
  t.match(await post({ sub: 's' }), {
    status: 422,
    body: { code: 'assertion_refused', reason: 'attribute_missing', title: 'Unprocessable Content' },
  });
  t.equal(await count('scim_user'), 0);
  t.equal((await post(ADA)).status, 201);
});

t.test('the feed tells each sign-in, whom it linked and why one was refused, and no claims', async (t) => {
  const { post, eventsOf, setProvider } = await newSignInWorld(app);
  const canary = `canary-${randomUUID()}`;
  const events = await eventsOf(async () => {
    await post({ ...ADA, secret: canary });
    await setProvider({ jit: 'off' });
    await post({ sub: 'nobody', secret: canary });
  });
  t.same(
    events.map(({ type }) => type),
    [
      'grant.added',
      'membership.added',
      'user.created',
      'identity.linked',
      'sign_in.accepted',
      'sign_in.refused',
    ],
  );
  t.match(events.at(-2), {
    resource: { type: 'User' },
    actor: { kind: 'api_key' },
    after: { identityProvider: 'okta', outcome: 'created', groups: 'list' },
  });
  t.match(events.at(-1), {
    resource: { type: 'IdentityProvider' },
    after: { identityProvider: 'okta', subject: 'nobody', reason: 'unknown_user', groups: 'absent' },
  });
  t.notMatch(JSON.stringify(events), canary);
});

t.test('admins see by which identities a user signs in, and end one', async (t) => {
  const { post, ask, eventsOf } = await newSignInWorld(app);
  const { id } = (await post(ADA)).body.user;
  const read = async () => (await ask<UserView>('GET', `/users/${id}`)).body.identities;
  t.match(await read(), [
    { identityProvider: 'okta', subject: '00u1', linkedAt: String, lastSignInAt: String },
  ]);
  const path = `/users/${id}/identities/okta`;
  const events = await eventsOf(async () => t.equal((await ask('DELETE', path)).status, 204));
  t.match(events, [{ type: 'identity.unlinked', resource: { id }, before: { subject: '00u1' } }]);
  t.equal((await ask('DELETE', path)).status, 404);
  t.same(await read(), []);
  t.match(await post(ADA), { status: 409, body: { conflict: 'user_name_taken' } });
});
