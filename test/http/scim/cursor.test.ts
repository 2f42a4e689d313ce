import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf, type ErrorBody, type List } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';
import { runs } from '../../support/runs.ts';

/** Pages by cursor, RFC 9865. */

const clock = { now: Date.parse('2026-03-04T05:06:07.000Z') };
const now = () => new Date(clock.now);
const secretKey = randomBytes(32);
const app = await startApp(t, { now, secretKey });

interface Page extends List {
  readonly nextCursor?: string;
  readonly previousCursor?: string;
}
type Pages = ReturnType<typeof pagesOf>;

/** A client that asks for pages of an endpoint. */
function pagesOf(instance: Parameters<typeof clientOf>[0], key: string) {
  const { ask } = clientOf(instance, key);
  const get = (path: string, parameters: Readonly<Record<string, string>>) =>
    ask<Page & ErrorBody>('GET', `${path}?${new URLSearchParams(parameters)}`);
  return { ask, get };
}

/** A tenant with users of these names, in this order. */
async function tenantWith(names: readonly string[]) {
  const tenant = await app.createTenant();
  const key = await app.scimKey(tenant);
  const client = clientOf(app, key);
  for (const name of names) await client.user(name, { title: `title ${name}` });
  return { tenant, key, client, pages: pagesOf(app, key) };
}

const namesOf = ({ body }: { body: List }) => body.Resources.map(({ userName }) => userName);

/** The pages from the first on, by `nextCursor`. */
async function walk(
  pages: Pages,
  path: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Page[]> {
  const walked: Page[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const { body } = await pages.get(path, { ...parameters, cursor });
    walked.push(body);
    cursor = body.nextCursor;
  }
  return walked;
}

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

meets(t, [289, 290, 291, 292, 293, 294], '§2 pages follow one another by cursors', async (t) => {
  const { pages } = await tenantWith(LETTERS);
  const first = await pages.ask<Page>('GET', '/Users?cursor&count=3');
  t.same(namesOf(first), ['a', 'b', 'c']);
  t.match(first.body, { totalResults: 7, itemsPerPage: 3 });
  t.notOk('startIndex' in first.body || 'previousCursor' in first.body);
  t.match(first.body.nextCursor, /^[\w-]+$/, 'characters that a URL need not escape');
  const [, second, third] = await walk(pages, '/Users', { count: '3' });
  t.same(namesOf({ body: second as Page }), ['d', 'e', 'f']);
  t.same(namesOf({ body: third as Page }), ['g']);
  t.notOk('nextCursor' in (third as Page), 'the last page leads nowhere');
  const back = await pages.get('/Users', { count: '3', cursor: String(third?.previousCursor) });
  t.same(namesOf(back), ['d', 'e', 'f']);
  t.equal(back.body.totalResults, 7);
  const start = await pages.get('/Users', { count: '3', cursor: String(back.body.previousCursor) });
  t.same(namesOf(start), ['a', 'b', 'c']);
  t.notOk('previousCursor' in start.body, 'nothing leads before the first page');
  t.same(namesOf(await pages.get('/Users', { count: '3', cursor: String(start.body.nextCursor) })), [
    'd',
    'e',
    'f',
  ]);
  const whole = await pages.get('/Users', { cursor: '' });
  t.notOk('nextCursor' in whole.body || 'previousCursor' in whole.body, 'one page is first and last');
  for (const count of ['0', '-2']) {
    const { body } = await pages.get('/Users', { cursor: '', count });
    t.match(body, { totalResults: 7, itemsPerPage: 0, Resources: [] });
    t.notOk('nextCursor' in body);
  }
});

meets(t, [298], '§2.4 index paging stays the default and says nothing of cursors', async (t) => {
  const { pages } = await tenantWith(LETTERS);
  const { body } = await pages.get('/Users', { count: '3' });
  t.match(body, { startIndex: 1, itemsPerPage: 3 });
  t.notOk('nextCursor' in body);
  const { body: config } = await pages.ask('GET', '/ServiceProviderConfig');
  t.strictSame(config.pagination, {
    cursor: true,
    index: true,
    defaultPaginationMethod: 'index',
    defaultPageSize: 100,
    maxPageSize: 1000,
    cursorTimeout: 3600,
  });
});

meets(t, [300], '§4 the configuration announces cursors, as its schema says', async (t) => {
  const { pages } = await tenantWith([]);
  const { body: config } = await pages.ask('GET', '/ServiceProviderConfig');
  const { body: schema } = await pages.ask<{
    attributes: { name: string; subAttributes: { name: string }[] }[];
  }>('GET', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig');
  const described = schema.attributes.find(({ name }) => name === 'pagination')?.subAttributes;
  t.same(Object.keys(config.pagination as object).sort(), described?.map(({ name }) => name).sort());
});

meets(t, [296, 299], '§3 cursors stand in the body of a search too, sorted and filtered', async (t) => {
  const { pages } = await tenantWith(LETTERS);
  const query = { sortBy: 'userName', sortOrder: 'descending', filter: 'userName ne "d"', count: 2 };
  const names: unknown[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const answer: { body: Page } = await pages.ask<Page>('POST', '/Users/.search', { ...query, cursor });
    names.push(...namesOf(answer));
    cursor = answer.body.nextCursor;
  }
  t.same(names, ['g', 'f', 'e', 'c', 'b', 'a']);
});

meets(t, [293, 295, 301, 303, 304], '§2.1, §5.2 only a cursor of the same query is one', async (t) => {
  const { tenant, pages, key } = await tenantWith(LETTERS);
  const query = { count: '2', sortBy: 'id', filter: 'id pr', sortOrder: 'descending' };
  const { body } = await pages.get('/Users', { ...query, cursor: '' });
  const cursor = String(body.nextCursor);
  t.same(namesOf(await pages.get('/Users', { ...query, cursor })), ['e', 'd']);
  const neighbour = pagesOf(app, await app.scimKey(await app.createTenant()));
  await app.admin('POST', `/tenants/${tenant.id}/directories`, { name: 'other' });
  const otherDirectory = pagesOf(app, await app.scimKey(tenant, 'other'));
  const strangers = pagesOf(await startApp(t, { connectionString: app.connectionString, now }), key);
  const flipped = [...cursor].map((character, index) => {
    const other = character === 'A' ? 'B' : 'A';
    return cursor.slice(0, index) + other + cursor.slice(index + 1);
  });
  const garbage = [
    'x',
    'null',
    '{}',
    '-',
    `${cursor}=`,
    ` ${cursor}`,
    cursor.slice(0, -1),
    `${cursor}A`,
    'é',
  ];
  const refused = [
    await pages.get('/Users', { ...query, cursor, filter: 'id pr ' }),
    await pages.get('/Users', { ...query, cursor, sortBy: 'meta.created' }),
    await pages.get('/Users', { ...query, cursor, sortOrder: 'ascending' }),
    await pages.get('/Users', { count: '2', cursor }),
    await pages.get('/', { ...query, cursor }),
    await pages.get('/Groups', { ...query, cursor }),
    await neighbour.get('/Users', { ...query, cursor }),
    await otherDirectory.get('/Users', { ...query, cursor }),
    await strangers.get('/Users', { ...query, cursor }),
    ...(await Promise.all(
      [...flipped, ...garbage].map((each) => pages.get('/Users', { ...query, cursor: each })),
    )),
  ];
  const [first] = refused;
  t.match(first, { status: 400, body: { status: '400', scimType: 'invalidCursor' } });
  for (const answer of refused.slice(1)) t.strictSame(answer.body, first?.body);
  const twin = pagesOf(await startApp(t, { connectionString: app.connectionString, now, secretKey }), key);
  t.same(namesOf(await twin.get('/Users', { ...query, cursor })), ['e', 'd'], 'another instance reads it');
});

meets(t, [295], '§2.1 count stays the same, and cursors expire', async (t) => {
  const { pages } = await tenantWith(LETTERS);
  const refused = async (parameters: Record<string, string>) => {
    const { status, body } = await pages.get('/Users', parameters);
    t.equal(status, 400);
    return body.scimType;
  };
  const { body } = await pages.get('/Users', { cursor: '', count: '2' });
  const cursor = String(body.nextCursor);
  t.equal(await refused({ cursor, count: '3' }), 'invalidCount');
  t.equal(await refused({ cursor }), 'invalidCount', 'the default is another count');
  t.equal(await refused({ cursor: '', count: '1001' }), 'invalidCount');
  t.equal(await refused({ cursor: '', startIndex: '1' }), 'invalidValue');
  clock.now += 3_600_000;
  t.equal((await pages.get('/Users', { cursor, count: '2' })).status, 200);
  clock.now += 1;
  t.equal(await refused({ cursor, count: '2' }), 'expiredCursor');
});

meets(t, [301, 302], '§5.2 a cursor shows what its holder may see by now, and nothing else', async (t) => {
  const { tenant, pages, client } = await tenantWith(['own']);
  const path = `/tenants/${tenant.id}`;
  await app.admin('POST', `${path}/directories`, { name: 'leaving' });
  const leaving = clientOf(app, await app.scimKey(tenant, 'leaving'));
  for (const name of ['x', 'y', 'z']) await leaving.user(name);
  await app.admin('DELETE', `${path}/directories/leaving?users=release`);
  const query = { count: '2' };
  const { body } = await pages.get('/Users', { ...query, cursor: '' });
  t.equal(body.totalResults, 4, 'users that no directory manages are seen');
  await app.admin('PATCH', path, { settings: { adoptUnmanaged: false } });
  // Keys are remembered for less than a second.
  clock.now += 1_000;
  const second = await pages.get('/Users', { ...query, cursor: String(body.nextCursor) });
  t.match(second, { status: 200, body: { totalResults: 1, Resources: [] } });
  const { id, key } = await app.apiKey(tenant, ['scim']);
  const holder = pagesOf(app, key);
  await client.user('another');
  const { body: first } = await holder.get('/Users', { count: '1', cursor: '' });
  const next = { count: '1', cursor: String(first.nextCursor) };
  t.match(await holder.get('/Users', next), { status: 200, body: { Resources: [{ userName: 'another' }] } });
  await app.admin('DELETE', `${path}/api-keys/${id}`);
  clock.now += 1_000;
  t.equal((await holder.get('/Users', next)).status, 401, 'its key is revoked');
  t.equal((await client.list('/Users', 'userName eq "own"')).body.totalResults, 1);
});

t.test('a walk neither repeats nor skips what stays, whatever comes and goes', async (t) => {
  const { pages, client } = await tenantWith(LETTERS);
  const query = { sortBy: 'userName', count: '2' };
  const { body: first } = await pages.get('/Users', { ...query, cursor: '' });
  await client.user('aa');
  await client.user('bb');
  for (const { id } of first.Resources) await client.ask('DELETE', `/Users/${id}`);
  const second = await pages.get('/Users', { ...query, cursor: String(first.nextCursor) });
  t.same(namesOf(second), ['bb', 'c'], 'goes on where it was, although that is gone');
  const back = await pages.get('/Users', { ...query, cursor: String(second.body.previousCursor) });
  t.same(namesOf(back), ['aa'], 'what came before the place');
  t.notOk('previousCursor' in back.body);
});

t.test('a page whose rows are all gone still leads to its neighbours', async (t) => {
  const { pages, client } = await tenantWith(['a', 'b', 'c']);
  const query = { sortBy: 'userName', count: '2' };
  const [first, last] = await walk(pages, '/Users', query);
  await client.ask('DELETE', `/Users/${last?.Resources[0]?.id}`);
  const gone = await pages.get('/Users', { ...query, cursor: String(first?.nextCursor) });
  t.match(gone.body, { totalResults: 2, Resources: [] });
  t.notOk('nextCursor' in gone.body);
  const back = await pages.get('/Users', { ...query, cursor: String(gone.body.previousCursor) });
  t.same(namesOf(back), ['a', 'b']);
  for (const { id } of first?.Resources ?? []) await client.ask('DELETE', `/Users/${id}`);
  await client.user('d');
  const start = await pages.get('/Users', { ...query, cursor: String(last?.previousCursor) });
  t.same(start.body.Resources, []);
  t.notOk('previousCursor' in start.body, 'nothing is before it');
  t.same(namesOf(await pages.get('/Users', { ...query, cursor: String(start.body.nextCursor) })), ['d']);
  await client.ask(
    'DELETE',
    `/Users/${(await client.list('/Users', 'userName eq "d"')).body.Resources[0]?.id}`,
  );
  const { body: empty } = await pages.get('/Users', { ...query, cursor: String(first?.nextCursor) });
  t.notOk('nextCursor' in empty || 'previousCursor' in empty);
});

t.test('long values to sort by make no cursor that a URL cannot hold', async (t) => {
  const { pages, client } = await tenantWith([]);
  for (const end of ['b', 'a', 'c']) await client.user(end, { title: `${'ö'.repeat(50_000)}${end}` });
  const walked = await walk(pages, '/Users', { sortBy: 'title', count: '1' });
  t.equal(walked.length, 3);
  t.ok(walked.every(({ nextCursor = '' }) => nextCursor.length < 8_000));
});

const attributes = fc.record(
  {
    title: fc.constantFrom('x', 'X', 'y', 'ß', '😀', 'ﬀ'),
    active: fc.boolean(),
    emails: fc.array(fc.record({ value: fc.constantFrom('m', 'n', 'o') }), { maxLength: 2 }),
    name: fc.record({ familyName: fc.constantFrom('p', 'q') }),
  },
  { requiredKeys: [] },
);
const asked = fc.record({
  sortBy: fc.constantFrom(
    ...[
      '',
      'id',
      'userName',
      'title',
      'active',
      'emails',
      'name.familyName',
      'meta.created',
      'meta.lastModified',
    ],
    ...['groups', 'displayName', 'externalId', 'schemas', 'emails.primary', 'meta.version'],
  ),
  sortOrder: fc.constantFrom('ascending', 'descending'),
  count: fc.integer({ min: 1, max: 7 }),
  path: fc.constantFrom('/Users', '/'),
});

t.test('there and back again, each resource stands once and in its place', async (t) => {
  const tenant = await app.createTenant();
  const key = await app.scimKey(tenant);
  const client = clientOf(app, key);
  const pages = pagesOf(app, key);
  let made = 0;
  const property = fc.asyncProperty(
    fc.array(attributes, { maxLength: 3 }),
    asked,
    async (users, { count, path, ...sort }) => {
      for (const user of users) {
        clock.now += made % 2;
        const { id } = await client.user(`user ${(made++ * 7) % 11} ${made}`, user);
        if (made % 3 === 0) await client.group(`group ${made}`, [id]);
      }
      await compareWalk(t, pages, path, { ...(sort.sortBy ? sort : {}), count: String(count) });
    },
  );
  await fc.assert(property, { numRuns: runs(40, 1_000) });
});

/** Walks forward and back, and compares with one list. */
async function compareWalk(
  t: Test,
  pages: Pages,
  path: string,
  query: Record<string, string>,
): Promise<void> {
  const idsOf = (page: Page) => page.Resources.map(({ id }) => id);
  const { body: list } = await pages.get(path, { ...query, count: '1000' });
  const forward = await walk(pages, path, query);
  t.same(forward.flatMap(idsOf), idsOf(list), JSON.stringify({ path, ...query }));
  t.equal(new Set(idsOf(list)).size, list.totalResults);
  const back: Page[] = [];
  for (let cursor = forward.at(-1)?.previousCursor; cursor !== undefined; cursor = back[0]?.previousCursor) {
    back.unshift((await pages.get(path, { ...query, cursor })).body);
  }
  t.same(back.map(idsOf), forward.slice(0, -1).map(idsOf), 'the same pages on the way back');
}
