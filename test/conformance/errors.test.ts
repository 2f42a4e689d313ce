import t from 'tap';
import { type Answer, type AnyBody, type Method, startApp } from '../support/app.ts';
import {
  clientOf,
  ENTERPRISE,
  type ErrorBody,
  GROUP,
  type List,
  PATCH_OP,
  SCIM,
  USER,
} from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** How attributes are named (RFC 7644 section 3.10), and what a refusal looks like (section 3.12). */

const app = await startApp(t);
const tenant = await app.createTenant({ strictScim: true });
const client = clientOf(app, await app.scimKey(tenant));
const notated = clientOf(app, await app.scimKey(await app.createTenant({ strictScim: true })));

meets(
  t,
  [245, 246],
  'names with and without URN, in any case, mean one attribute wherever they stand',
  async (t) => {
    const { id } = await notated.user('notated', {
      name: { givenName: 'Grace' },
      [ENTERPRISE]: { department: 'D', manager: { value: 'm' } },
    });
    await notated.user('zoe', {
      name: { givenName: 'Zoe' },
      [ENTERPRISE]: { department: 'Z', manager: { value: 'z' } },
    });
    const spellings: readonly [attribute: string, literal: string, ...names: string[]][] = [
      ['userName', '"notated"', 'userName', 'USERNAME', `${USER}:userName`, `${USER.toUpperCase()}:UserName`],
      [
        'name',
        '"Grace"',
        'name.givenName',
        'Name.GivenName',
        `${USER}:name.givenName`,
        `${USER.toUpperCase()}:NAME.givenname`,
      ],
      [ENTERPRISE, '"D"', `${ENTERPRISE}:department`, `${ENTERPRISE.toUpperCase()}:DEPARTMENT`],
      [ENTERPRISE, '"m"', `${ENTERPRISE}:manager.value`, `${ENTERPRISE.toLowerCase()}:Manager.VALUE`],
    ];
    for (const [attribute, literal, ...names] of spellings) {
      for (const name of names) {
        const found = await notated.list('/Users', `${name} eq ${literal}`);
        t.match(found.body, { totalResults: 1, Resources: [{ id }] }, `filter ${name}`);
        const narrowed = await notated.ask('GET', `/Users/${id}?attributes=${encodeURIComponent(name)}`);
        t.same(Object.keys(narrowed.body).sort(), ['id', 'schemas', attribute].sort(), `attributes ${name}`);
        const sorted = await notated.ask<List>(
          'GET',
          `/Users?sortOrder=descending&sortBy=${encodeURIComponent(name)}`,
        );
        t.equal(sorted.body.Resources[0]?.userName, 'zoe', `sortBy ${name}`);
        const value = JSON.parse(literal) as string;
        const patched = await notated.patch(`/Users/${id}`, [{ op: 'replace', path: name, value }]);
        t.match(
          patched,
          { status: 200, body: { meta: { version: 'W/"1"' } } },
          `path ${name}: the value it has`,
        );
      }
    }
    const body = {
      SCHEMAS: [USER.toUpperCase()],
      USERNAME: 'notated-2',
      NAME: { GIVENNAME: 'G' },
      [ENTERPRISE.toUpperCase()]: { Department: 'D' },
    };
    const created = await notated.ask('POST', '/Users', body);
    t.match(created, {
      status: 201,
      body: { userName: 'notated-2', name: { givenName: 'G' }, [ENTERPRISE]: { department: 'D' } },
    });
  },
);

meets(t, [247], '/Me is not offered, and says so for every method', async (t) => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    const answer = await client.ask<ErrorBody>(method, '/Me', { schemas: [USER], userName: 'me' });
    t.match(answer, { status: 501, body: { status: '501', detail: /\S/ } }, method);
  }
});

const user = await client.user('somebody');
const group = await client.group('Everybody');
const PERSON = `/Users/${user.id}`;

const patch = (...Operations: unknown[]) => ({ schemas: [PATCH_OP], Operations });

/** Requests that are refused: status, and scimType where table 9 has a word for it. */
const REFUSED: readonly [
  status: number,
  scimType: string | undefined,
  method: Method,
  path: string,
  body?: unknown,
][] = [
  [400, 'invalidFilter', 'GET', '/Users?filter=userName'],
  [400, 'invalidFilter', 'GET', '/Users?filter=active%20gt%20true'],
  [
    400,
    'invalidFilter',
    'POST',
    '/Groups/.search',
    { schemas: [searchRequest()], filter: 'displayName is "x"' },
  ],
  [400, 'invalidSyntax', 'POST', '/Users', '{'],
  [400, 'invalidSyntax', 'POST', '/Users', []],
  [400, 'invalidSyntax', 'POST', '/Users', { schemas: [GROUP], userName: 'x' }],
  [400, 'invalidSyntax', 'POST', '/Users/.search', { schemas: [PATCH_OP] }],
  [400, 'invalidSyntax', 'PUT', PERSON, '"x"'],
  [400, 'invalidValue', 'POST', '/Users', { schemas: [USER] }],
  [400, 'invalidValue', 'POST', '/Users', { schemas: [USER], userName: 4 }],
  [400, 'invalidValue', 'PUT', PERSON, { schemas: [USER], userName: 'x', emails: [{ value: 4 }] }],
  [400, 'invalidValue', 'GET', '/Users?count=many'],
  [400, 'invalidPath', 'PATCH', PERSON, patch({ op: 'add', path: 'shoeSize', value: 4 })],
  [400, 'mutability', 'PATCH', PERSON, patch({ op: 'replace', path: 'id', value: 'x' })],
  [400, 'noTarget', 'PATCH', PERSON, patch({ op: 'remove' })],
  [404, undefined, 'GET', '/Users/2819c223-7f76-453a-919d-413861904646'],
  [404, undefined, 'GET', '/Devices'],
  [405, undefined, 'DELETE', '/Users'],
  [409, 'uniqueness', 'POST', '/Users', { schemas: [USER], userName: 'SOMEBODY' }],
  [409, 'uniqueness', 'PUT', `/Groups/${group.id}`, { schemas: [GROUP], displayName: 'taken' }],
  [413, undefined, 'POST', '/Users', JSON.stringify({ userName: 'x' }).padEnd(2 * 1024 * 1024)],
  [501, undefined, 'GET', '/Me'],
];

function searchRequest(): string {
  return 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
}

meets(
  t,
  [251, 252, 253, 254, 255],
  'each refusal has its status, its word and a detail, in SCIM',
  async (t) => {
    await client.group('Taken');
    const reader = (await app.apiKey(tenant, ['read'])).key;
    const stale = { 'if-match': 'W/"0"' };
    const answers: [status: number, scimType: string | undefined, name: string, answer: Answer<AnyBody>][] = [
      [401, undefined, 'no key', await app.send('GET', `${SCIM}/Users`)],
      [401, undefined, 'a wrong key', await app.send('GET', `${SCIM}/Users`, { key: 'nonsense' })],
      [403, undefined, 'a key without the scope', await app.send('GET', `${SCIM}/Users`, { key: reader })],
      [412, undefined, 'a stale version', await client.ask('DELETE', PERSON, undefined, stale)],
    ];
    for (const [status, scimType, method, path, body] of REFUSED) {
      answers.push([status, scimType, `${method} ${path}`, await client.ask(method, path, body)]);
    }
    for (const [status, scimType, name, answer] of answers) {
      t.equal(answer.status, status, name);
      t.equal(answer.headers['content-type'], 'application/scim+json', `${name}: media type`);
      const { schemas, status: told, detail, ...rest } = answer.body;
      t.same(schemas, ['urn:ietf:params:scim:api:messages:2.0:Error'], name);
      t.equal(told, String(status), `${name}: the status as text`);
      t.ok(typeof detail === 'string' && detail.length > 10, `${name}: a detail for people`);
      t.same(rest, scimType === undefined ? {} : { scimType }, `${name}: scimType`);
    }
    t.same((await client.ask('GET', PERSON)).body, user, 'and nothing happened');
  },
);

meets(
  t,
  [256],
  'a failure of ours is 500 and tells nothing from inside; the log has its cause under the request id',
  async (t) => {
    const log: string[] = [];
    const broken = await startApp(t, { onLog: (line) => void log.push(line) });
    const key = await broken.scimKey(await broken.createTenant());
    await broken.context.db.pool.query('alter table scim_user rename column body to lost');
    const headers = { 'x-request-id': 'failing-1' };
    const answer = await broken.send<ErrorBody>('POST', `${SCIM}/Users`, {
      key,
      headers,
      body: { userName: 'x' },
    });
    t.match(answer, { status: 500, headers: headers, body: { status: '500', detail: /request id/ } });
    t.notMatch(answer.text, /lost|column|scim_user|select|insert/);
    const failures = log.filter((line) => JSON.parse(line).level >= 50);
    t.equal(failures.length, 1);
    t.match(JSON.parse(String(failures[0])), { requestId: 'failing-1', err: { message: /column "body"/ } });
  },
);
