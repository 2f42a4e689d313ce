import t from 'tap';
import type { FeedPage } from '../../../src/events/feed.ts';
import type { Tenant } from '../../../src/tenants/tenants.ts';
import { startApp } from '../../support/app.ts';
import { clientOf, ENTERPRISE, type List, SCIM, USER } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';

/** A tenant's own schema on its users: what clients send, find, and are answered. */

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const app = await startApp(t, { now: () => new Date(clock.now) });

/** The form that Entra ID's documentation gives for attributes of one's own. */
const URN = 'urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User';
/** An external namespace as Okta's profile editor takes it. */
const OKTA = 'urn:okta:acme_app:1.0:user:custom';

const declare = (tenant: Pick<Tenant, 'id'>, attributes: readonly object[], more: object = {}) =>
  app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, {
    id: URN,
    name: 'Custom',
    attributes,
    ...more,
  });

/** A client of a tenant that has declared these attributes under `URN`. */
async function clientWith(attributes: readonly object[], more: object = {}) {
  const tenant = await app.createTenant();
  const declared = await declare(tenant, attributes, more);
  if (declared.status !== 201) throw new Error(declared.text);
  return { tenant, ...clientOf(app, await app.scimKey(tenant)) };
}

meets(
  t,
  [33, 36, 37, 193, 245, 246],
  "custom attributes of Entra ID are created, changed and found under the extension's URN",
  async (t) => {
    const client = await clientWith([
      { name: 'tag' },
      { name: 'attribute1' },
      { name: 'level', type: 'integer' },
      { name: 'tags', multiValued: true },
    ]);
    await t.test('extension attributes live under the URN, which schemas lists', async (t) => {
      const { status, body } = await client.ask('POST', '/Users', {
        schemas: [USER, ENTERPRISE, URN],
        userName: 'ada',
        [URN]: { tag: '701984', level: 3, tags: ['b', 'a'] },
      });
      t.equal(status, 201);
      t.same(body.schemas, [USER, URN]);
      t.same(body[URN], { tag: '701984', level: 3, tags: ['b', 'a'] });
      t.same((await client.ask('GET', `/Users/${body.id}`)).body, body);
    });
    await t.test('a path with the URN sets the attribute, and schemas lists the URN', async (t) => {
      const { id } = await client.user('patched');
      const forms: readonly (readonly [operation: object, expected: object])[] = [
        [{ op: 'Add', path: `${URN}:tag`, value: 'a' }, { tag: 'a' }],
        [{ op: 'replace', path: `${URN.toUpperCase()}:TAG`, value: 'b' }, { tag: 'b' }],
        [{ op: 'Replace', value: { [`${URN}:tag`]: 'c' } }, { tag: 'c' }],
        [
          { op: 'add', value: { [URN]: { attribute1: 'd', LEVEL: 1 } } },
          { tag: 'c', attribute1: 'd', level: 1 },
        ],
        [
          { op: 'add', path: URN, value: { level: 2 } },
          { tag: 'c', attribute1: 'd', level: 2 },
        ],
        [{ op: 'add', path: `${URN}:tags`, value: ['x', 'y'] }, { tags: ['x', 'y'] }],
        [{ op: 'remove', path: `${URN}:tags[value eq "X"]` }, { tags: ['y'] }],
        [
          { op: 'replace', path: `${URN}:attribute1`, value: null },
          { attribute1: undefined, tag: 'c' },
        ],
        [
          { op: 'remove', path: `${URN}:level` },
          { level: undefined, tag: 'c' },
        ],
        [{ op: 'add', path: `${URN}.tag`, value: 'dotted' }, { tag: 'dotted' }],
      ];
      for (const [operation, expected] of forms) {
        const { status, body } = await client.patch(`/Users/${id}`, [operation]);
        t.match(
          { status, extension: body[URN] },
          { status: 200, extension: expected },
          JSON.stringify(operation),
        );
        t.same(body.schemas, [USER, URN]);
      }
      const { body } = await client.patch(`/Users/${id}`, [{ op: 'remove', path: URN }]);
      t.same([body.schemas, URN in body], [[USER], false], 'and no longer when the last value goes');
    });
    for (const filter of [
      `${URN}:tag eq "701984"`,
      `${URN}:TAG sw "7019"`,
      `${URN}:level gt 2 and ${URN}:level le 3`,
      `${URN}:tags eq "A"`,
      `${URN}:tags[value eq "b"]`,
      `tag eq "701984"`,
      `not (${URN}:level lt 3) and ${URN}:tag pr`,
    ]) {
      const { body } = await client.list('/Users', filter);
      t.match(body.Resources, [{ userName: 'ada' }], filter);
      t.equal(body.totalResults, 1, filter);
    }
  },
);

t.test("an app's external namespace in Okta's profile editor is a schema like any other", async (t) => {
  const tenant = await app.createTenant();
  await declare(tenant, [{ name: 'costCode' }, { name: 'flags', multiValued: true }], { id: OKTA });
  clock.now += 1;
  await declare(tenant, [{ name: 'costCode', type: 'integer' }]);
  const client = clientOf(app, await app.scimKey(tenant));
  const sent = { schemas: [USER, OKTA], userName: 'grace', [OKTA]: { costCode: 'x', flags: ['a'] } };
  const { body } = await client.ask('POST', '/Users', sent);
  t.match(body, { schemas: [USER, OKTA], [OKTA]: sent[OKTA] });
  const { body: replaced } = await client.ask('PUT', `/Users/${body.id}`, {
    ...body,
    schemas: [USER, OKTA, URN],
    [OKTA]: { costCode: 'y', flags: [] },
    [URN]: { costCode: 5 },
  });
  t.match(replaced, { schemas: [USER, OKTA, URN], [OKTA]: { costCode: 'y' }, [URN]: { costCode: 5 } });
  t.notOk(Object.hasOwn(replaced[OKTA] as object, 'flags'));
  for (const filter of [`${OKTA}:costCode eq "y"`, `${URN}:costCode eq 5`]) {
    t.equal((await client.list('/Users', filter)).body.totalResults, 1, filter);
  }
});

t.test('names that mean something elsewhere are names like any other in an extension', async (t) => {
  const { ask, patch, list } = await clientWith([
    ...['userName', 'externalId', 'constructor', 'toJSON'].map((name) => ({ name })),
    { name: 'id' },
    { name: 'active', type: 'boolean' },
    { name: 'password' },
    { name: 'schemas', multiValued: true },
    { name: 'members', multiValued: true },
    {
      name: 'groups',
      type: 'complex',
      multiValued: true,
      subAttributes: [{ name: 'value', type: 'integer' }],
    },
    {
      name: 'meta',
      type: 'complex',
      subAttributes: [{ name: 'version' }, { name: 'created', type: 'dateTime' }],
    },
    {
      name: 'labels',
      type: 'complex',
      multiValued: true,
      subAttributes: [{ name: 'type' }, { name: 'display' }],
    },
  ]);
  const own = {
    userName: 'a',
    externalId: 'b',
    constructor: 'c',
    toJSON: 'd',
    id: 'f',
    active: false,
    password: 'g',
    schemas: ['h'],
    members: Array.from({ length: 1_000 }, (_, index) => `m${index}`),
    groups: [{ value: 1 }, { value: 2 }],
    meta: { version: 'i', created: '2026-01-01T00:00:00Z' },
    labels: [{ type: 'j', display: 'k' }],
  };
  const { status, body } = await ask('POST', '/Users', { schemas: [USER], userName: 'ada', [URN]: own });
  t.equal(status, 201);
  t.match(body, { userName: 'ada', active: true, externalId: undefined, groups: undefined });
  t.same(body[URN], own);
  for (const filter of [
    `${URN}:userName eq "a"`,
    `${URN}:externalId eq "b"`,
    `${URN}:id eq "F"`,
    `${URN}:active eq false`,
    `${URN}:password eq "g"`,
    `${URN}:schemas eq "h"`,
    `${URN}:members eq "m999"`,
    `${URN}:groups[value eq 2]`,
    `${URN}:groups.value gt 1`,
    `${URN}:meta.version eq "i"`,
    `${URN}:meta.created lt "2026-01-01T01:00:00+00:30"`,
    `${URN}:constructor pr and ${URN}:toJSON eq "d"`,
  ]) {
    t.equal((await list('/Users', filter)).body.totalResults, 1, filter);
  }
  const tooMany = { op: 'add', path: `${URN}:members`, value: ['one too many'] };
  t.match(await patch(`/Users/${body.id}`, [tooMany]), { status: 400, body: { scimType: 'invalidValue' } });
  const changed = await patch(`/Users/${body.id}`, [
    { op: 'remove', path: `${URN}:active` },
    { op: 'replace', path: `${URN}:schemas`, value: ['z'] },
    { op: 'remove', path: `${URN}:groups[value eq 1]` },
    { op: 'remove', path: `${URN}:labels[type eq "j"].display` },
    { op: 'replace', path: `${URN}:id`, value: 'new' },
  ]);
  t.match(changed, {
    status: 200,
    body: {
      active: true,
      schemas: [USER, URN],
      [URN]: { schemas: ['z'], groups: [{ value: 2 }], id: 'new' },
    },
  });
  t.same((changed.body[URN] as { labels: unknown }).labels, [{ type: 'j' }]);
  t.not(changed.body.id, 'new');
});

meets(t, [64, 65], 'text is compared as caseExact says', async (t) => {
  const { user, list, patch } = await clientWith([
    { name: 'exact', caseExact: true },
    { name: 'folded' },
    { name: 'link', type: 'reference' },
    { name: 'raw', type: 'binary' },
  ]);
  const { id } = await user('ada', { [URN]: { exact: 'AbC', folded: 'AbC', link: 'urn:AbC', raw: 'AbC=' } });
  await t.test('filters follow caseExact, and values keep their case', async (t) => {
    const cases: readonly (readonly [filter: string, found: number])[] = [
      ['exact eq "AbC"', 1],
      ['exact eq "abc"', 0],
      ['exact sw "ab"', 0],
      ['exact sw "Ab"', 1],
      ['folded eq "aBc"', 1],
      ['folded co "BC"', 1],
      ['link eq "urn:abc"', 0],
      ['link ew "AbC"', 1],
      ['raw eq "AbC="', 1],
      ['raw eq "abc="', 0],
    ];
    for (const [filter, found] of cases) {
      t.equal((await list('/Users', `${URN}:${filter}`)).body.totalResults, found, filter);
    }
    const { body } = await patch(`/Users/${id}`, [{ op: 'replace', path: `${URN}:folded`, value: 'aBC' }]);
    t.match(body[URN], { exact: 'AbC', folded: 'aBC' });
  });
});

/** What an event tells of the secret. */
const pinOf = (side: unknown) => (side as Readonly<Record<string, { pin?: string }>> | null)?.[URN]?.pin;

meets(t, [56, 57, 58, 59, 61, 190], 'who may write an attribute, and when', async (t) => {
  const { user, ask, patch, tenant } = await clientWith([
    { name: 'free' },
    { name: 'fixed', mutability: 'immutable' },
    { name: 'ours', mutability: 'readOnly' },
    { name: 'pin', mutability: 'writeOnly' },
    {
      name: 'badge',
      type: 'complex',
      subAttributes: [{ name: 'number', mutability: 'immutable' }, { name: 'color' }],
    },
  ]);
  const attributes = { free: 'a', fixed: 'b', ours: 'c', pin: '1234', badge: { number: '1', color: 'red' } };
  const visible = { free: 'a', fixed: 'b', badge: { number: '1', color: 'red' } };
  const created = await user('ada', { [URN]: attributes });
  const path = `/Users/${created.id}`;
  const put = (extension: object) => ask('PUT', path, { schemas: [USER], userName: 'ada', [URN]: extension });
  const replace = (name: string, value: unknown) =>
    patch(path, [{ op: 'replace', path: `${URN}:${name}`, value }]);

  await t.test('readOnly is ignored in a body, and refused in a path', async (t) => {
    t.same(created[URN], visible);
    t.same((await put(attributes)).body[URN], visible);
    t.match(await replace('ours', 'x'), { status: 400, body: { scimType: 'mutability' } });
  });
  await t.test('immutable is set once', async (t) => {
    for (const [name, value] of [
      ['fixed', 'x'],
      ['badge.number', '2'],
      ['badge', { number: '2' }],
    ] as const) {
      t.match(await replace(name, value), { status: 400, body: { scimType: 'mutability' } }, name);
      const removed = await patch(path, [{ op: 'remove', path: `${URN}:${name}` }]);
      t.match(removed, { status: 400, body: { scimType: 'mutability' } }, `removed ${name}`);
    }
    for (const extension of [
      { ...visible, fixed: 'x' },
      { ...visible, badge: { number: '2' } },
      { free: 'a' },
    ]) {
      t.match(
        await put(extension),
        { status: 400, body: { scimType: 'mutability' } },
        JSON.stringify(extension),
      );
    }
    t.equal((await replace('fixed', 'b')).status, 200, 'the value that it has changes nothing');
    t.match((await replace('badge.color', 'blue')).body[URN], { badge: { number: '1', color: 'blue' } });
    const { id } = await user('grace');
    const set = await patch(`/Users/${id}`, [{ op: 'add', path: `${URN}:fixed`, value: 'first' }]);
    t.match(set, { status: 200, body: { [URN]: { fixed: 'first' } } });
  });
  await t.test('writeOnly is stored, and in no answer', async (t) => {
    t.match(await replace('pin', '5678'), { status: 200 });
    const projections = [
      '',
      `?attributes=${URN}:pin`,
      `?attributes=${URN}`,
      '?attributes=pin',
      '?excludedAttributes=userName',
    ];
    for (const projection of projections) {
      t.notMatch((await ask('GET', `${path}${projection}`)).text, '5678', projection);
      t.notMatch((await ask('GET', `/Users${projection}`)).text, '5678', projection);
    }
    const { rows } = await app.context.db.pool.query('select body, search from scim_user where id = $1', [
      created.id,
    ]);
    t.match(JSON.parse(rows[0].body)[URN], { pin: '5678' });
    t.notMatch(JSON.stringify(rows[0].search), '5678', 'nor in what filters run on');
    for (const query of [`?filter=${URN}:pin eq "5678"`, `?sortBy=${URN}:pin`]) {
      t.equal((await ask('GET', `/Users${encodeURI(query)}`)).status, 403, query);
    }
    await patch(path, [{ op: 'remove', path: `${URN}:pin` }]);
    await replace('pin', '5678');
    await ask('DELETE', path);
    await app.sealEvents();
    const feed = await app.admin<FeedPage>('GET', `/tenants/${tenant.id}/events?resource=${created.id}`);
    for (const secret of ['1234', '5678']) t.notMatch(feed.text, `"${secret}"`, 'nor in an event');
    const pins = feed.body.events
      .slice(2)
      .map(({ type, before, after }) => [type, pinOf(before), pinOf(after)]);
    t.same(pins, [
      ['user.updated', undefined, '(never returned)'],
      ['user.updated', '(never returned)', undefined],
      ['user.updated', undefined, '(never returned)'],
      ['user.deleted', undefined, undefined],
    ]);
    t.match(feed.body.events.at(-1)?.before, { userName: 'ada', active: true, [URN]: { free: 'a' } });
  });
});

meets(t, [60, 61, 62, 63, 118], 'when an attribute is returned', async (t) => {
  const { ask, patch, list } = await clientWith([
    { name: 'always', returned: 'always' },
    { name: 'usual' },
    { name: 'asked', returned: 'request' },
    { name: 'never', returned: 'never' },
    {
      name: 'parts',
      type: 'complex',
      multiValued: true,
      subAttributes: [{ name: 'value' }, { name: 'note', returned: 'request' }],
    },
  ]);
  const own = { always: 'a', usual: 'b', asked: 'c', never: 'd', parts: [{ value: 'e', note: 'f' }] };
  const { body } = await ask('POST', '/Users', { schemas: [USER], userName: 'ada', [URN]: own });
  const path = `/Users/${body.id}`;
  const read = async (query: string) => (await ask('GET', `${path}${query}`)).body[URN];
  const usual = { always: 'a', usual: 'b', parts: [{ value: 'e' }] };

  await t.test('always, never, default and request', async (t) => {
    t.match(body[URN], { always: 'a', usual: 'b', asked: 'c' }, 'a write answers what it set on request');
    t.notOk(Object.hasOwn(body[URN] as object, 'never'));
    t.same(await read(''), usual);
    t.same((await ask<List>('GET', '/Users')).body.Resources[0]?.[URN], usual);
    t.same(await read(`?attributes=userName`), { always: 'a' });
    t.same(await read(`?attributes=${URN}:asked,${URN}:never`), { always: 'a', asked: 'c' });
    t.same(await read(`?attributes=${URN}`), usual, 'the whole extension is what is returned by default');
    t.same(await read(`?attributes=${URN}:parts.note`), { always: 'a', parts: [{ note: 'f' }] });
    t.same(await read(`?excludedAttributes=${URN}:usual,${URN}:always`), {
      always: 'a',
      parts: [{ value: 'e' }],
    });
    t.same(await read(`?excludedAttributes=${URN}`), { always: 'a' });
    const patched = await patch(path, [{ op: 'replace', path: `${URN}:asked`, value: 'new' }]);
    t.match(patched.body[URN], { asked: 'new' });
    const other = await patch(path, [{ op: 'replace', path: `${URN}:usual`, value: 'new' }]);
    t.notOk(Object.hasOwn(other.body[URN] as object, 'asked'));
  });
  t.equal(
    (await list('/Users', `${URN}:asked eq "new"`)).body.totalResults,
    1,
    'what is returned on request is found',
  );
});

meets(t, [105, 106, 180], 'a required extension and its required attributes', async (t) => {
  const { ask, patch, tenant } = await clientWith(
    [
      { name: 'badge', required: true },
      { name: 'site', type: 'complex', subAttributes: [{ name: 'code', required: true }, { name: 'floor' }] },
    ],
    { required: true },
  );
  const create = (extension: object) =>
    ask('POST', '/Users', { schemas: [USER], userName: 'ada', ...extension });
  await t.test('the extension and what it requires have to be there', async (t) => {
    for (const extension of [
      {},
      { [URN]: {} },
      { [URN]: { site: { code: 'x' } } },
      { [URN]: { badge: '' } },
      { [URN]: { badge: '1', site: { floor: '2' } } },
    ]) {
      t.match(
        await create(extension),
        { status: 400, body: { scimType: 'invalidValue' } },
        JSON.stringify(extension),
      );
    }
    const { body, status } = await create({ [URN]: { badge: '1' } });
    t.equal(status, 201);
    const path = `/Users/${body.id}`;
    for (const name of [URN, `${URN}:badge`]) {
      t.match(
        await patch(path, [{ op: 'remove', path: name }]),
        { status: 400, body: { scimType: 'mutability' } },
        name,
      );
    }
    const floor = { op: 'add', path: `${URN}:site.floor`, value: '2' };
    t.match(await patch(path, [floor]), { status: 400, body: { scimType: 'invalidValue' } });
    t.equal((await patch(path, [floor, { op: 'add', path: `${URN}:site.code`, value: 'x' }])).status, 200);
    const removed = await patch(path, [{ op: 'remove', path: `${URN}:site.code` }]);
    t.match(removed, { status: 400, body: { scimType: 'mutability' } });
    t.equal((await ask('PUT', path, { schemas: [USER], userName: 'ada' })).status, 400);
    t.equal((await patch(path, [{ op: 'remove', path: `${URN}:site` }])).status, 200);
  });
  await t.test('one that is not required may be missing, and what it requires with it', async (t) => {
    const attributes = [{ name: 'badge', required: true }, { name: 'other' }];
    await app.admin('PUT', `/tenants/${tenant.id}/schema-extensions/${URN}`, {
      name: 'Custom',
      attributes,
    });
    clock.now += 1_000;
    const bare = await ask('POST', '/Users', { schemas: [USER], userName: 'bare' });
    t.equal(bare.status, 201);
    const without = await patch(`/Users/${bare.body.id}`, [{ op: 'add', path: `${URN}:other`, value: 'x' }]);
    t.match(without, { status: 400, body: { scimType: 'invalidValue' } });
  });
});

t.test('a user from before an extension was required can still be deactivated', async (t) => {
  const tenant = await app.createTenant();
  const client = clientOf(app, await app.scimKey(tenant));
  const { id } = await client.user('old');
  await declare(tenant, [{ name: 'badge', required: true }], { required: true });
  clock.now += 1_000;
  const { status, body } = await client.patch(`/Users/${id}`, [
    { op: 'replace', path: 'active', value: false },
  ]);
  t.match({ status, body }, { status: 200, body: { active: false } });
});

t.test('lists sort by an attribute of an extension, those without a value last', async (t) => {
  const { user, ask } = await clientWith([
    { name: 'level', type: 'decimal' },
    { name: 'since', type: 'dateTime' },
    {
      name: 'codes',
      type: 'complex',
      multiValued: true,
      subAttributes: [{ name: 'value' }, { name: 'primary', type: 'boolean' }],
    },
  ]);
  await user('c', {
    [URN]: {
      level: 10,
      since: '2026-01-01T01:00:00+02:00',
      codes: [{ value: 'z' }, { value: 'a', primary: true }],
    },
  });
  await user('a', { [URN]: { level: 9.5, since: '2026-01-01T00:00:00Z', codes: [{ value: 'B' }] } });
  await user('b');
  for (const [sortBy, order] of [
    [`${URN}:level`, 'acb'],
    [`${URN}:since`, 'cab'],
    [`${URN}:codes`, 'cab'],
    [`${URN}:codes.value`, 'cab'],
  ] as const) {
    const names = async (sortOrder: string) => {
      const { body } = await ask<List>('GET', `/Users?sortBy=${sortBy}&sortOrder=${sortOrder}`);
      return body.Resources.map(({ userName }) => userName).join('');
    };
    t.equal(await names('ascending'), order, sortBy);
    t.equal(await names('descending'), [...order].reverse().join(''), `${sortBy} descending`);
  }
});

meets(t, [268, 272], 'discovery shows a tenant its own extensions, and nobody another’s', async (t) => {
  const { tenant, ask } = await clientWith(
    [{ name: 'badge', caseExact: true, returned: 'request' }, { name: 'schemas' }],
    {
      required: true,
    },
  );
  const other = clientOf(app, await app.scimKey(await app.createTenant()));
  await t.test('the extension is listed with the type, and is a schema', async (t) => {
    const { body } = await ask('GET', '/ResourceTypes/User');
    t.match(body.schemaExtensions, [
      { schema: ENTERPRISE, required: false },
      { schema: URN, required: true },
    ]);
    t.match((await ask<List>('GET', '/ResourceTypes')).body.Resources[0], body);
    const schema = (await ask('GET', `/Schemas/${URN.toLowerCase()}`)).body;
    t.match(schema, {
      id: URN,
      name: 'Custom',
      attributes: [
        { name: 'badge', type: 'string', caseExact: true, returned: 'request', uniqueness: 'none' },
        { name: 'schemas' },
      ],
      meta: { location: `http://rollcall.test${SCIM}/Schemas/${URN}` },
    });
    const { Resources } = (await ask<List>('GET', '/Schemas')).body;
    t.match(
      Resources.find(({ id }) => id === URN),
      schema,
    );
  });
  const { key: adminKey } = await app.apiKey(tenant, ['admin']);
  t.equal(
    (await app.send('GET', `${SCIM}/Schemas/${URN}`, { key: adminKey })).status,
    200,
    'with any key of the tenant',
  );
  for (const path of ['/Schemas', '/ResourceTypes', '/ResourceTypes/User']) {
    t.notMatch((await other.ask('GET', path)).text, URN, path);
    t.notMatch((await app.send('GET', `${SCIM}${path}`)).text, URN, `${path} without a key`);
    t.notMatch((await app.send('GET', `${SCIM}${path}`, { key: app.operatorKey })).text, URN);
    t.equal((await app.send('GET', `${SCIM}${path}`, { key: 'wrong' })).status, 401);
  }
  for (const key of [undefined, await app.scimKey(await app.createTenant())]) {
    const nothing = await app.send('GET', `${SCIM}/Schemas/${URN}`, key === undefined ? {} : { key });
    t.equal(nothing.status, 404);
  }
});

t.test('an extension of another tenant is an unknown name', async (t) => {
  await clientWith([{ name: 'badge' }]);
  const { ask, patch, list } = clientOf(app, await app.scimKey(await app.createTenant()));
  const { body } = await ask('POST', '/Users', {
    schemas: [USER, URN],
    userName: 'ada',
    [URN]: { badge: 'x' },
  });
  t.same([body.schemas, Object.hasOwn(body, URN)], [[USER], false]);
  t.match(await list('/Users', `${URN}:badge pr`), { status: 400, body: { scimType: 'invalidFilter' } });
  const operation = { op: 'add', path: `${URN}:badge`, value: 'x' };
  t.match(await patch(`/Users/${body.id}`, [operation]), { status: 400, body: { scimType: 'invalidPath' } });
});

t.test('in strict mode an attribute that the extension does not have is refused', async (t) => {
  const tenant = await app.createTenant({ strictScim: true });
  await declare(tenant, [{ name: 'badge' }]);
  const { ask } = clientOf(app, await app.scimKey(tenant));
  const create = (extension: object) =>
    ask('POST', '/Users', { schemas: [USER, URN], userName: 'ada', [URN]: extension });
  t.match(await create({ badges: 'x' }), { status: 400, body: { scimType: 'invalidSyntax' } });
  t.equal((await create({ badge: 'x' })).status, 201);
});
