import t from 'tap';
import { type Method, startApp } from '../../support/app.ts';
import { makeProvider } from '../../support/gateway.ts';

/**
 * Whatever stands where a path, a query or a body takes a value: the admin API and the product API take it or
 * refuse it themselves, and the database is never asked what it cannot read. The routes are read from Fastify, and
 * their parameters and members from their schemas.
 */

const app = await startApp(t);
const { key } = await app.serviceKey(['read', 'jit', 'jit:claims']);

const UUID = '0198c0de-0000-7000-8000-00000000002a';
const TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\n',
  '\u0085',
  '\ud800',
  '\u{1f600}',
  '\uffff',
  "' or true --",
  '%',
  '..',
  'constructor',
  '__proto__',
  `urn:uuid:${UUID}`,
  `{${UUID}}`,
  UUID.replaceAll('-', ''),
  UUID.toUpperCase(),
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '11111111-1111-1111-1111-111111111111',
  '-1',
  '1e400',
  '999999999999999',
  '9223372036854775808',
  'NaN',
  'infinity',
  '9999-12-31T23:59:59-14:00',
  '0000-01-01T00:00:00+14:00',
  '2026-12-31T23:59:60Z',
  '2099-01-01T00:00:00+24:00',
  '2099-01-01 00:00:00Z',
  '2099-01-01T00:00:00+01',
  'x'.repeat(300),
  '漢'.repeat(1_000),
  '\u{1f600}'.repeat(200),
  'x'.repeat(100_000),
];
/** What the database's own refusal is translated to: the door should have come first. */
const DATABASE_REFUSED = /cannot be stored or compared/;

const VALUES: readonly unknown[] = [
  ...TEXTS,
  null,
  true,
  -1,
  0.5,
  1e308,
  2 ** 53,
  [],
  [[]],
  [null],
  ['read', 'read'],
  {},
  { constructor: null },
];

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly anyOf?: readonly ObjectSchema[];
}

/** The names of an object's members, also of one that may be null. */
const membersOf = (schema: unknown): string[] => {
  const { properties = {}, anyOf = [] } = (schema ?? {}) as ObjectSchema;
  return [...Object.keys(properties), ...anyOf.flatMap(membersOf)];
};

const EXTENSION = 'urn:example:hostile';

let made = 0;
const CLAIMS = ['sub', 'email', 'groups', 'given_name', 'picture', 'preferred_username', '_claim_names'];

/** A body that holds, but for the members that it replaces. */
const bodyOf = (schema: unknown, replaced: object = {}) => {
  made += 1;
  const sound = {
    name: `sound${made}`,
    scopes: ['read'],
    rank: 1_000 + made,
    id: EXTENSION,
    attributes: [{ name: 'a' }],
    productUserId: `sound${made}`,
    userName: `sound${made}`,
    role: 'VIEWER',
    kind: 'claims',
    jit: 'off',
    email: `sound${made}@sound.example`,
    grants: [],
    userId: UUID,
    action: 'link',
    requestId: `sound${made}`,
    claims: { sub: `sound${made}` },
  };
  const known = new Set(membersOf(schema));
  return { ...Object.fromEntries(Object.entries(sound).filter(([name]) => known.has(name))), ...replaced };
};

const routes = app.routes
  .filter(({ url, schema }) => /^\/(api\/(admin\/)?v1|jit)\//.test(url) && !schema?.hide)
  .flatMap(({ method, url, schema }) =>
    [method].flat().map((each) => ({ method: each as Method, url, schema: schema ?? {} })),
  );

/** Percent-encoded; half a surrogate pair becomes bytes that are no UTF-8. */
const encoded = (text: string) => (text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80');

t.ok(routes.length >= 15, 'the routes were found');
for (const { method, url, schema } of routes) {
  t.test(`${method} ${url} answers for itself, whatever it is sent`, async (t) => {
    const leaks: string[] = [];
    const tenant = await app.createTenant();
    const parameters = [...url.matchAll(/:(\w+)/g)].map(([, name]) => String(name));
    const queries = membersOf(schema.querystring);
    const pathWith = (values: Readonly<Record<string, string>> = {}) =>
      url.replace(/:(\w+)/g, (_, name: string) =>
        encoded({ tenant: tenant.id, urn: EXTENSION, identityProvider: 'okta', ...values }[name] ?? UUID),
      );
    const ask = async (target: string, body: unknown = bodyOf(schema.body)) => {
      const asker = url.startsWith('/api/admin') ? app.operatorKey : key;
      const { status, text } = await app.send(method, target, {
        key: asker,
        ...(schema.body !== undefined && { body }),
      });
      if (status < 500 && !DATABASE_REFUSED.test(text)) return;
      leaks.push(`${target.slice(0, 200)} ${JSON.stringify(body)?.slice(0, 200)}: ${text}`);
    };

    await makeProvider(app, tenant.id);
    const jit = url.startsWith('/jit/') ? `?tenant=${tenant.id}&identityProvider=okta` : '';
    const query = queries.includes('users') ? '?users=release' : jit;
    for (const text of TEXTS.filter(({ length }) => length < 1_000)) {
      for (const name of parameters) await ask(pathWith({ [name]: text }) + query);
      for (const name of queries) {
        await ask(`${pathWith()}?${name}=${encoded(text)}`);
        await ask(`${pathWith()}?${name}=${encoded(text)}&${name}=1`);
      }
    }
    for (const value of schema.body === undefined ? [] : VALUES) {
      await ask(pathWith() + query, value);
      for (const name of membersOf(schema.body)) {
        await ask(pathWith() + query, bodyOf(schema.body, { [name]: value }));
      }
      for (const name of membersOf(schema.body).includes('claims') ? CLAIMS : []) {
        await ask(pathWith() + query, bodyOf(schema.body, { claims: { sub: 'sound', [name]: value } }));
      }
    }
    t.same(leaks, []);
  });
}
