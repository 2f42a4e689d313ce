import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { type AnyBody, startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';
import { ACCEPTED, ACCEPTED_URNS, REFUSED_ATTRIBUTES, REFUSED_URNS, URN, whole } from './extension-cases.ts';

/** What a tenant's admin declares: `/tenants/{tenant}/schema-extensions`. */

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const app = await startApp(t, { now: () => new Date(clock.now) });

interface Extension {
  readonly id: string;
  readonly attributes: readonly AnyBody[];
}

const pathOf = (tenant: Pick<Tenant, 'id'>, urn?: string) =>
  `/tenants/${tenant.id}/schema-extensions${urn === undefined ? '' : `/${urn}`}`;

const declare = (tenant: Pick<Tenant, 'id'>, attributes: readonly unknown[], more: object = {}) =>
  app.admin<Extension>('POST', pathOf(tenant), { id: URN, name: 'Custom', attributes, ...more });

t.test('an extension is declared, read, listed, replaced and deleted', async (t) => {
  const tenant = await app.createTenant();
  const made = await declare(tenant, [{ name: 'badge' }]);
  const at = new Date(clock.now).toISOString();
  t.equal(made.status, 201);
  t.strictSame(made.body, {
    id: URN,
    name: 'Custom',
    description: '',
    required: false,
    attributes: [whole('badge')],
    createdAt: at,
    updatedAt: at,
  });
  t.same((await app.admin('GET', pathOf(tenant, URN.toUpperCase()))).body, made.body, 'in any case');
  t.same((await app.admin('GET', pathOf(tenant))).body, { schemaExtensions: [made.body] });

  clock.now += 1_000;
  const next = {
    name: 'Other',
    description: 'Ours',
    required: true,
    attributes: [{ name: 'badge' }, { name: 'b' }],
  };
  const replaced = await app.admin('PUT', pathOf(tenant, URN.toLowerCase()), {
    ...next,
    id: URN.toUpperCase(),
  });
  t.equal(replaced.status, 200);
  t.strictSame(replaced.body, {
    ...next,
    id: URN,
    attributes: [whole('badge'), whole('b')],
    createdAt: at,
    updatedAt: new Date(clock.now).toISOString(),
  });
  t.same((await app.admin('GET', pathOf(tenant, URN))).body, replaced.body);

  t.match(await app.admin('DELETE', pathOf(tenant, URN)), { status: 204, text: '' });
  for (const method of ['GET', 'DELETE'] as const) {
    const gone = { status: 404, body: { detail: 'Schema extension not found' } };
    t.match(await app.admin(method, pathOf(tenant, URN)), gone);
    t.match(await app.admin(method, pathOf(tenant, 'none')), gone);
    t.match(await app.admin(method, pathOf(tenant, '%00')), gone);
  }
  t.match(await app.admin('PUT', pathOf(tenant, URN), next), { status: 404 });
});

meets(
  t,
  [53, 55, 69, 70, 80],
  'what is declared comes with the defaults of RFC 7643 §2.2, and can be sent back as it is',
  async (t) => {
    const tenant = await app.createTenant();
    for (const [index, [sentence, attribute, read]] of ACCEPTED.entries()) {
      const id = `urn:example:accepted${index}:User`;
      const { status, body, text } = await declare(tenant, [attribute], { id });
      t.equal(status, 201, `${sentence}: ${text}`);
      t.match(body.attributes, [read], sentence);
      const { name, attributes } = body as unknown as AnyBody;
      const again = await app.admin<Extension>('PUT', pathOf(tenant, id), { name, attributes });
      t.same(again.body, body, `${sentence}: again`);
      await app.admin('DELETE', pathOf(tenant, id));
    }
  },
);

t.test('what does not hold is refused, and where it stands is said', async (t) => {
  const tenant = await app.createTenant();
  for (const [sentence, attribute, place] of REFUSED_ATTRIBUTES) {
    const pointer = `/attributes/1${place}`;
    const answer = await declare(tenant, [{ name: 'first' }, attribute]);
    t.match(
      answer,
      { status: 400, body: { code: 'invalid_request', pointer } },
      `${sentence}: ${answer.text}`,
    );
  }
  const bodies: readonly (readonly [sentence: string, more: object, pointer: string])[] = [
    ...REFUSED_URNS.map(([sentence, id]) => [sentence, { id }, '/id'] as const),
    ['no attributes', { attributes: [] }, '/attributes'],
    ['no list of attributes', { attributes: {} }, '/attributes'],
    [
      'an attribute twice in different case',
      { attributes: [{ name: 'a' }, { name: 'A' }] },
      '/attributes/1/name',
    ],
    [
      '101 attributes',
      { attributes: Array.from({ length: 101 }, (_, i) => ({ name: `a${i}` })) },
      '/attributes',
    ],
    ['an empty name', { name: '' }, '/name'],
    ['an unknown member', { schema: 'x' }, '/schema'],
    [
      'required by nobody',
      { required: true, attributes: [{ name: 'a', mutability: 'readOnly' }] },
      '/required',
    ],
    [
      'a very long definition',
      {
        attributes: Array.from({ length: 100 }, (_, i) => ({ name: `a${i}`, description: 'x'.repeat(999) })),
      },
      '',
    ],
  ];
  for (const [sentence, more, pointer] of bodies) {
    const answer = await declare(tenant, [{ name: 'a' }], more);
    t.match(answer, { status: 400, body: { code: 'invalid_request' } }, `${sentence}: ${answer.text}`);
    t.equal(answer.body && (answer.body as unknown as AnyBody).pointer, pointer, sentence);
  }
  t.same((await app.admin('GET', pathOf(tenant))).body, { schemaExtensions: [] });
});

t.test('URNs of RFC 8141 are accepted', async (t) => {
  const tenant = await app.createTenant();
  for (const id of ACCEPTED_URNS)
    t.match(await declare(tenant, [{ name: 'a' }], { id }), { status: 201, body: { id } });
});

t.test('a URN is taken once in a tenant, with all that a path could confuse with it', async (t) => {
  const [tenant, other] = [await app.createTenant(), await app.createTenant()];
  const id = 'urn:example:a:User';
  await declare(tenant, [{ name: 'a' }], { id });
  for (const taken of [id, id.toUpperCase(), `${id}:b`, `${id}.b`, 'urn:example:a', 'URN:EXAMPLE:A']) {
    t.match(
      await declare(tenant, [{ name: 'a' }], { id: taken }),
      { status: 409, body: { reason: 'urn_taken', pointer: '/id' } },
      taken,
    );
  }
  for (const free of [`${id}s`, 'urn:example:a-b', 'urn:example:aa']) {
    t.equal((await declare(tenant, [{ name: 'a' }], { id: free })).status, 201, free);
  }
  t.equal((await declare(other, [{ name: 'a' }], { id })).status, 201, 'and free in another tenant');
});

t.test('a tenant has ten extensions at most, however many are declared at once', async (t) => {
  const tenant = await app.createTenant();
  const answers = await Promise.all(
    Array.from({ length: 14 }, (_, index) =>
      declare(tenant, [{ name: 'a' }], { id: `urn:example:n${index}` }),
    ),
  );
  t.equal(answers.filter(({ status }) => status === 201).length, 10);
  const refused = answers.filter(({ status }) => status !== 201);
  for (const answer of refused) t.match(answer, { status: 409, body: { reason: 'too_many_extensions' } });
});

t.test('a URN does not change, and keeps the case in which it was declared', async (t) => {
  const tenant = await app.createTenant();
  await declare(tenant, [{ name: 'a' }]);
  const body = { id: 'urn:example:other', name: 'Custom', attributes: [{ name: 'a' }] };
  t.match(await app.admin('PUT', pathOf(tenant, URN), body), { status: 400, body: { pointer: '/id' } });
});

t.test('each change is told with what was and what is; one that changes nothing is not', async (t) => {
  const tenant = await app.createTenant();
  const created = (await declare(tenant, [{ name: 'a' }])).body;
  clock.now += 1;
  const same = await app.admin('PUT', pathOf(tenant, URN), { name: 'Custom', attributes: [{ name: 'a' }] });
  t.same(same.body, created, 'the time of the change stays too');
  const updated = (await app.admin('PUT', pathOf(tenant, URN), { name: 'New', attributes: [{ name: 'a' }] }))
    .body;
  await app.admin('DELETE', pathOf(tenant, URN));
  await app.sealEvents();
  const { body } = await app.admin<FeedPage>('GET', `/tenants/${tenant.id}/events?resource=${tenant.id}`);
  const told = body.events.filter(({ type }) => type.startsWith('schema_extension.'));
  t.match(told, [
    {
      type: 'schema_extension.created',
      resource: { type: 'Tenant', id: tenant.id },
      before: null,
      after: created,
    },
    { type: 'schema_extension.updated', before: created, after: updated },
    { type: 'schema_extension.deleted', before: updated, after: null },
  ]);
  t.equal(told.length, 3);
});

const STORED = {
  plain: 'x',
  Exact: 'X',
  many: ['x'],
  secret: 's',
  one: { value: 'x', level: 1 },
  several: [{ value: 'x' }, { value: 'y', level: 2 }],
};
const LEVEL = { name: 'level', type: 'integer' };
const DECLARED = [
  { name: 'plain' },
  { name: 'Exact', caseExact: true },
  { name: 'many', multiValued: true },
  { name: 'secret', mutability: 'writeOnly' },
  { name: 'one', type: 'complex', subAttributes: [{ name: 'value' }, LEVEL] },
  { name: 'several', type: 'complex', multiValued: true, subAttributes: [{ name: 'value' }, LEVEL] },
  { name: 'unused', type: 'complex', subAttributes: [{ name: 'value' }] },
];
/** The declaration with these attributes instead of those of the same name; undefined: without it. */
const changed = (changes: Readonly<Record<string, object | undefined>>) =>
  DECLARED.flatMap((attribute) => {
    if (!Object.hasOwn(changes, attribute.name)) return [attribute];
    const change = changes[attribute.name];
    return change === undefined ? [] : [{ ...attribute, ...change }];
  });
const part = (...subAttributes: object[]) => ({ subAttributes });

const HARMLESS: readonly (readonly [sentence: string, attributes: readonly object[]])[] = [
  ['another attribute', [...DECLARED, { name: 'new' }]],
  ['another order', [...DECLARED].reverse()],
  ['what describes', changed({ plain: { description: 'd', canonicalValues: ['y'] } })],
  ['when it is returned', changed({ plain: { returned: 'request' }, many: { returned: 'never' } })],
  ['who may write it', changed({ plain: { mutability: 'immutable' }, many: { mutability: 'readOnly' } })],
  ['whether it is required', changed({ plain: { required: true }, unused: { required: true } })],
  ['another part', changed({ one: part({ name: 'value' }, LEVEL, { name: 'new' }) })],
  ['that a hidden one may be read', changed({ secret: { mutability: 'readWrite', returned: 'never' } })],
  [
    'primary of a single value',
    changed({ one: part({ name: 'value' }, LEVEL, { name: 'primary', type: 'boolean' }) }),
  ],
  ['anything of what nobody has', changed({ unused: { multiValued: true, ...part({ name: 'other' }) } })],
  ['the removal of what nobody has', changed({ unused: undefined })],
];
const HARMFUL: readonly (readonly [sentence: string, attributes: readonly object[]])[] = [
  ['the removal of an attribute', changed({ plain: undefined })],
  ['the removal of a hidden one', changed({ secret: undefined })],
  ['its name in another case', changed({ plain: { name: 'Plain' } })],
  ['another type', changed({ plain: { type: 'integer' } })],
  ['several values for one', changed({ plain: { multiValued: true } })],
  ['one value for several', changed({ many: { multiValued: false } })],
  ['another case', changed({ Exact: { caseExact: false } })],
  [
    'that values which were never returned are',
    changed({ secret: { mutability: 'readWrite', returned: 'request' } }),
  ],
  ['the removal of a part', changed({ one: part({ name: 'value' }) })],
  ['the removal of a part of some value', changed({ several: part({ name: 'value' }) })],
  [
    'another type of a part',
    changed({ several: part({ name: 'value' }, { name: 'level', type: 'decimal' }) }),
  ],
  [
    'primary where no value says false',
    changed({ several: part({ name: 'value' }, LEVEL, { name: 'primary', type: 'boolean' }) }),
  ],
];

t.test(
  'a definition that stored values fit replaces another; one that they do not fit is refused',
  async (t) => {
    for (const [sentence, attributes] of [...HARMLESS, ...HARMFUL]) {
      const harmful = HARMFUL.some(([each]) => each === sentence);
      const tenant = await app.createTenant();
      t.equal((await declare(tenant, DECLARED)).status, 201);
      const client = clientOf(app, await app.scimKey(tenant));
      const body = { name: 'Custom', attributes };
      const users = [
        await client.user('one', { [URN]: STORED }),
        await client.user('two', { [URN]: STORED }),
      ];
      const { id: bare } = await client.user('bare');
      t.ok(bare);
      const answer = await app.admin('PUT', pathOf(tenant, URN), body);
      if (!harmful) t.equal(answer.status, 200, `${sentence}: ${answer.text}`);
      else {
        t.match(answer, { status: 409, body: { reason: 'in_use', detail: /: 2\./ } }, sentence);
        t.match(
          (await app.admin('GET', pathOf(tenant, URN))).body,
          { attributes: DECLARED },
          'it is as it was',
        );
        for (const { id } of users) {
          const path = `/Users/${id}`;
          t.equal((await client.patch(path, [{ op: 'remove', path: URN }])).status, 200, sentence);
        }
        t.equal(
          (await app.admin('PUT', pathOf(tenant, URN), body)).status,
          200,
          `${sentence}: once nobody has it`,
        );
      }
    }
  },
);

t.test(
  'an extension that a user has a value of stays, also that of a user without a directory',
  async (t) => {
    const tenant = await app.createTenant();
    await declare(tenant, [{ name: 'a', mutability: 'writeOnly' }]);
    await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'okta' });
    const client = clientOf(app, await app.scimKey(tenant, 'okta'));
    await client.user('active', { [URN]: { a: 'x' }, active: false });
    await app.admin('DELETE', `/tenants/${tenant.id}/directories/okta?users=release`);
    t.match(await app.admin('DELETE', pathOf(tenant, URN)), {
      status: 409,
      body: { reason: 'in_use', detail: `Users with a value of "${URN}": 1` },
    });
    const other = clientOf(app, await app.scimKey(await app.createTenant()));
    await other.user('elsewhere');
    const heir = clientOf(app, await app.scimKey(tenant));
    const { body } = await heir.list('/Users', 'userName eq "active"');
    await heir.ask('DELETE', `/Users/${body.Resources[0]?.id}`);
    t.equal((await app.admin('DELETE', pathOf(tenant, URN))).status, 204);
  },
);

t.test('a tenant is deleted with its extensions', async (t) => {
  const tenant = await app.createTenant();
  await declare(tenant, [{ name: 'a' }]);
  t.equal((await app.admin('DELETE', `/tenants/${tenant.id}`)).status, 204);
});
