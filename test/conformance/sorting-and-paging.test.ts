import t from 'tap';
import { startApp } from '../support/app.ts';
import { type Client, clientOf, ENTERPRISE, type ErrorBody, type List, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** The order of answers and their pages (RFC 7644 sections 3.4.2.3, 3.4.2.4 and 3.4.3). */

const app = await startApp(t);
const newClient = async () => clientOf(app, await app.scimKey(await app.createTenant({ strictScim: true })));
const sorted = await newClient();

const names = async (client: Client, query: string) =>
  (await client.ask<List>('GET', `/Users?${query}`)).body.Resources.map(({ userName }) => String(userName));

await sorted.user('bea', {
  name: { familyName: 'Zahn' },
  externalId: 'b',
  title: 'Émile',
  active: true,
  emails: [{ value: 'z@x.example' }, { value: 'a@x.example', primary: true }],
  [ENTERPRISE]: { department: 'Sales', manager: { value: '2' } },
});
await sorted.user('Ada', {
  name: { familyName: 'young' },
  externalId: 'C',
  title: 'emilf',
  active: false,
  emails: [{ value: 'k@x.example' }, { value: 'b@x.example' }],
  [ENTERPRISE]: { department: 'legal', manager: { value: '1' } },
});
await sorted.user('cyd', { externalId: 'a', title: 'ZOE', active: true });

meets(
  t,
  [151, 152, 153, 155],
  'sortBy orders by any attribute, and ascending where nothing else is said',
  async (t) => {
    const config = await sorted.ask<{ sort: object }>('GET', '/ServiceProviderConfig');
    t.same(config.body.sort, { supported: true });
    const orders: readonly [sortBy: string, ascending: readonly string[]][] = [
      ['userName', ['Ada', 'bea', 'cyd']],
      ['USERNAME', ['Ada', 'bea', 'cyd']],
      ['emails', ['bea', 'Ada', 'cyd']],
      ['emails.value', ['bea', 'Ada', 'cyd']],
      ['name.familyName', ['Ada', 'bea', 'cyd']],
      [`${USER}:name.familyName`, ['Ada', 'bea', 'cyd']],
      [`${ENTERPRISE}:department`, ['Ada', 'bea', 'cyd']],
      [`${ENTERPRISE}:manager.value`, ['Ada', 'bea', 'cyd']],
      ['meta.created', ['bea', 'Ada', 'cyd']],
    ];
    for (const [sortBy, ascending] of orders) {
      const by = `sortBy=${encodeURIComponent(sortBy)}`;
      t.same(await names(sorted, by), ascending, sortBy);
      t.same(await names(sorted, `${by}&sortOrder=ascending`), ascending, `${sortBy} ascending`);
      t.same(
        await names(sorted, `${by}&sortOrder=descending`),
        [...ascending].reverse(),
        `${sortBy} descending`,
      );
    }
    for (const wrong of ['sortBy=name', 'sortBy=shoeSize', 'sortBy=userName&sortOrder=up']) {
      const answer = await sorted.ask<ErrorBody>('GET', `/Users?${wrong}`);
      t.match(answer, { status: 400, body: { scimType: 'invalidValue' } }, wrong);
    }
  },
);

meets(
  t,
  [154, 156],
  'text is sorted by Unicode, without case unless it counts; nothing comes behind everything',
  async (t) => {
    t.same(await names(sorted, 'sortBy=externalId'), ['Ada', 'cyd', 'bea'], 'case-exact: capitals first');
    t.same(await names(sorted, 'sortBy=title'), ['Ada', 'cyd', 'bea'], 'no language: É comes behind Z');
    t.same(await names(sorted, `sortBy=${ENTERPRISE}:department`), ['Ada', 'bea', 'cyd']);
    t.same(await names(sorted, `sortBy=${ENTERPRISE}:department&sortOrder=descending`), [
      'cyd',
      'bea',
      'Ada',
    ]);
    t.equal((await names(sorted, 'sortBy=active'))[0], 'Ada', 'false is before true');
  },
);

const paged = await newClient();
const ALL = Array.from({ length: 7 }, (_, index) => `page-${index + 1}`);
for (const name of ALL) await paged.user(name);

meets(
  t,
  [157, 158, 159, 160, 161],
  'pages start where they are asked to, and say what they are of',
  async (t) => {
    const pages: readonly [query: string, startIndex: number, numbers: readonly number[]][] = [
      ['', 1, [1, 2, 3, 4, 5, 6, 7]],
      ['startIndex=1&count=3', 1, [1, 2, 3]],
      ['startIndex=4&count=3', 4, [4, 5, 6]],
      ['startIndex=7&count=3', 7, [7]],
      ['startIndex=8&count=3', 8, []],
      ['startIndex=1000', 1000, []],
      ['startIndex=0&count=2', 1, [1, 2]],
      ['startIndex=-5&count=2', 1, [1, 2]],
      ['startIndex=3', 3, [3, 4, 5, 6, 7]],
      ['count=0', 1, []],
      ['count=-1', 1, []],
      ['count=1', 1, [1]],
      ['count=1000000', 1, [1, 2, 3, 4, 5, 6, 7]],
    ];
    for (const [query, startIndex, numbers] of pages) {
      const { status, body } = await paged.ask<List>('GET', `/Users?sortBy=userName&${query}`);
      const { Resources = [], ...rest } = body;
      const schemas = ['urn:ietf:params:scim:api:messages:2.0:ListResponse'];
      const expected = { schemas, totalResults: 7, startIndex, itemsPerPage: numbers.length };
      t.same([status, rest], [200, expected], query);
      t.same(
        Resources.map(({ userName }) => userName),
        numbers.map((number) => `page-${number}`),
        query,
      );
    }
    const filtered = await paged.list(
      '/Users',
      'userName ew "1" or userName ew "2"',
      '&count=1&startIndex=2',
    );
    t.match(filtered.body, {
      totalResults: 2,
      itemsPerPage: 1,
      startIndex: 2,
      Resources: [{ userName: 'page-2' }],
    });
  },
);

meets(
  t,
  [159],
  'without count the provider sets the limit, and none goes beyond the announced one',
  async (t) => {
    interface Config {
      readonly filter: { readonly maxResults: number };
      readonly pagination: { readonly defaultPageSize: number; readonly maxPageSize: number };
    }
    const { filter, pagination } = (await paged.ask<Config>('GET', '/ServiceProviderConfig')).body;
    const crowded = await newClient();
    const { directory_id, tenant_id } = await ownerOf((await crowded.user('first')).id);
    await app.context.db.pool.query(
      `insert into scim_user (tenant_id, id, directory_id, user_name_folded, active, version, created_at, updated_at,
                            body, search, lookup)
     select $1, gen_random_uuid(), $2, 'crowd-' || n, true, 1, now(), now(),
            json_build_object('schemas', array[$3], 'userName', 'crowd-' || n)::text, '{}', '{}'
     from generate_series(1, $4::int) n`,
      [tenant_id, directory_id, USER, pagination.maxPageSize],
    );
    const sizes = async (query: string) => {
      const { totalResults, itemsPerPage, Resources } = (await crowded.ask<List>('GET', `/Users?${query}`))
        .body;
      t.equal(totalResults, pagination.maxPageSize + 1);
      t.equal(Resources.length, itemsPerPage);
      return itemsPerPage;
    };
    t.equal(await sizes(''), pagination.defaultPageSize);
    t.equal(await sizes('count=1000000'), pagination.maxPageSize);
    t.equal(filter.maxResults, pagination.maxPageSize);
  },
);

async function ownerOf(id: string): Promise<{ tenant_id: string; directory_id: string }> {
  const { rows } = await app.context.db.pool.query(
    'select tenant_id, directory_id from scim_user where id = $1',
    [id],
  );
  return rows[0];
}

meets(t, [169, 170, 171, 172], 'a search answers like the query with the same parameters', async (t) => {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'];
  const searches: readonly [body: object, query: string][] = [
    [{}, ''],
    [{ filter: 'userName ew "1"' }, 'filter=userName%20ew%20%221%22'],
    [{ sortBy: 'userName', sortOrder: 'descending' }, 'sortBy=userName&sortOrder=descending'],
    [{ startIndex: 3, count: 2 }, 'startIndex=3&count=2'],
    [{ count: 0 }, 'count=0'],
    [{ attributes: ['userName', 'meta.version'] }, 'attributes=userName,meta.version'],
    [{ excludedAttributes: ['meta', 'active'] }, 'excludedAttributes=meta,active'],
  ];
  for (const [body, query] of searches) {
    const search = await paged.ask('POST', '/Users/.search', { schemas, ...body });
    const get = await paged.ask('GET', `/Users?${query}`);
    t.equal(search.status, 200);
    t.same(search.body, get.body, query);
  }
  const wrongOnes: readonly object[] = [
    { count: 1 },
    { schemas: [USER] },
    { schemas: 'SearchRequest' },
    { schemas, filter: ['userName pr'] },
    { schemas, attributes: [4] },
  ];
  for (const wrong of wrongOnes) {
    const answer = await paged.ask<ErrorBody>('POST', '/Users/.search', wrong);
    t.match(answer, { status: 400, body: { scimType: 'invalidSyntax' } }, JSON.stringify(wrong));
  }
});
