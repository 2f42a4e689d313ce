import { inspect } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { bodies, filters, sorts, targetsOf, text } from '../../oracle/arbitraries.ts';
import { OWN_EXTENSION } from '../../oracle/extension.ts';
import { type Filter, type JsonResource, matches, type Sort, sorted } from '../../oracle/query.ts';
import { readTypeSchema, type TypeSchema } from '../../oracle/schema.ts';
import { chooser, writeFilter, writePath } from '../../oracle/write.ts';
import { startApp } from '../../support/app.ts';
import { type Client, clientOf, type List, type Resource } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';
import { runs, SEED } from '../../support/runs.ts';

/**
 * What the service finds, and in which order, against an evaluator in memory that was written from the RFCs
 * (`test/oracle/`): random resources, random filters, random sorts, random windows, in random spelling.
 */

t.comment(`ROLLCALL_SEED=${SEED}`);
const SETS = runs(6, 30);
const USERS = 30;
const GROUPS = 15;
const QUERIES_PER_SET = 125;

const app = await startApp(t);

interface Query {
  readonly filter: Filter | undefined;
  readonly sort: Sort | undefined;
  readonly window: { readonly startIndex: number; readonly count: number } | undefined;
  readonly choices: readonly number[];
  readonly bySearch: boolean;
}

interface Parameters {
  readonly filter?: string;
  readonly sortBy?: string;
  readonly sortOrder?: string;
  readonly startIndex: number;
  readonly count: number;
}

function queries(type: TypeSchema, resources: readonly Resource[]): fc.Arbitrary<Query> {
  const targets = targetsOf(type, resources);
  const maybe = <Value>(arbitrary: fc.Arbitrary<Value>, freq: number) =>
    fc.option(arbitrary, { nil: undefined, freq });
  return fc.record({
    filter: maybe(filters(targets), 5),
    sort: maybe(sorts(targets), 1),
    window: maybe(
      fc.record({
        startIndex: fc.integer({ min: -1, max: USERS + 2 }),
        count: fc.integer({ min: -1, max: USERS }),
      }),
      1,
    ),
    choices: fc.noShrink(fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 })),
    bySearch: fc.boolean(),
  });
}

function written({ filter, sort, window, choices }: Query, type: TypeSchema): Parameters {
  const choose = chooser(choices);
  return {
    ...(filter && { filter: writeFilter(filter, type, choose) }),
    ...(sort && { sortBy: writePath(sort.by, type, choose) }),
    ...(sort?.order && { sortOrder: sort.order }),
    startIndex: window?.startIndex ?? 1,
    count: window?.count ?? 1000,
  };
}

async function ask(client: Client, type: TypeSchema, parameters: Parameters, bySearch: boolean) {
  const attributes = 'id';
  const { endpoint } = type;
  const { status, body } = bySearch
    ? await client.ask<List>('POST', `${endpoint}/.search`, { ...parameters, attributes: [attributes] })
    : await client.ask<List>('GET', `${endpoint}?${queryString({ ...parameters, attributes })}`);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  const { totalResults, itemsPerPage, startIndex, Resources = [] } = body;
  return { totalResults, itemsPerPage, startIndex, ids: Resources.map(({ id }) => id) };
}

const queryString = (parameters: object) =>
  Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&');

function expected(
  { filter, sort }: Query,
  { startIndex, count }: Parameters,
  resources: readonly Resource[],
) {
  const found = filter
    ? resources.filter((resource) => matches(filter, resource as JsonResource))
    : resources;
  const inOrder = sort ? sorted(found, sort) : found;
  const first = Math.max(1, startIndex);
  const page = inOrder.slice(first - 1, first - 1 + Math.max(0, count));
  return {
    totalResults: found.length,
    itemsPerPage: page.length,
    startIndex: first,
    ids: page.map(({ id }) => id),
  };
}

/** All resources in the order of their creation, with the `meta.version` that they have where no groups are shown. */
async function readAll(client: Client, { endpoint }: TypeSchema): Promise<Resource[]> {
  const all = await client.ask<List>('GET', `${endpoint}?count=1000`);
  const bare = await client.ask<List>('GET', `${endpoint}?count=1000&excludedAttributes=groups`);
  const metas = new Map(bare.body.Resources.map(({ id, meta }) => [id, meta]));
  return all.body.Resources.map((each) => ({ ...each, meta: metas.get(each.id) ?? each.meta }));
}

/** Asks random queries; each answer is the oracle's. */
async function compareAll(client: Client, type: TypeSchema, set: number): Promise<void> {
  const resources = await readAll(client, type);
  await fc.assert(
    fc.asyncProperty(queries(type, resources), async (query) => {
      const parameters = written(query, type);
      const answer = await ask(client, type, parameters, query.bySearch);
      const wanted = expected(query, parameters, resources);
      if (JSON.stringify(answer) === JSON.stringify(wanted)) return;
      const differing = [...answer.ids, ...wanted.ids].filter(
        (id) => answer.ids.includes(id) !== wanted.ids.includes(id),
      );
      const shown = resources.filter(({ id }) => differing.includes(id)).slice(0, 2);
      throw new Error(
        [
          `ROLLCALL_SEED=${SEED}, set ${set}: ${JSON.stringify(parameters)}`,
          `answered ${inspect(answer)}`,
          `wanted ${inspect(wanted)}`,
          `differing ${inspect(shown, { depth: 6 })}`,
        ].join('\n'),
      );
    }),
    { numRuns: QUERIES_PER_SET, seed: SEED + set, interruptAfterTimeLimit: 600_000 },
  );
}

async function createAll(
  client: Client,
  endpoint: string,
  all: readonly unknown[],
  t: Test,
): Promise<string[]> {
  const ids: string[] = [];
  for (const body of all) {
    const { status, body: created } = await client.ask('POST', endpoint, body);
    if (status === 201) ids.push(created.id);
    else if (status !== 409) t.fail(`${status} ${JSON.stringify(created)} for ${JSON.stringify(body)}`);
  }
  return ids;
}

/** Users and groups of a tenant of their own; some changed afterwards, so that times and versions differ. */
async function fill(
  client: Client,
  seed: number,
  t: Test,
): Promise<{ users: TypeSchema; groups: TypeSchema }> {
  const users = await readTypeSchema(client, '/Users');
  const groups = await readTypeSchema(client, '/Groups');
  const name = text.filter((word) => word.trim() !== '');
  const people = fc.sample(bodies(users, { userName: name, active: fc.boolean() }), { numRuns: USERS, seed });
  const ids = await createAll(client, '/Users', people, t);
  const members = fc.subarray(ids, { maxLength: 5 }).map((chosen) => chosen.map((value) => ({ value })));
  const teams = fc.sample(bodies(groups, { displayName: name, members }), { numRuns: GROUPS, seed });
  const groupIds = await createAll(client, '/Groups', teams, t);
  for (const id of ids.slice(0, 5))
    await client.patch(`/Users/${id}`, [{ op: 'replace', path: 'title', value: id }]);
  for (const id of ids.slice(4, 7)) await client.patch(`/Users/${id}`, [{ op: 'remove', path: 'active' }]);
  for (const id of groupIds.slice(0, 3)) {
    await client.patch(`/Groups/${id}`, [{ op: 'replace', path: 'externalId', value: id }]);
  }
  return { users, groups };
}

meets(
  t,
  [128, 129, 131, 132, 133, 134, 136, 137, 138, 140, 141, 142, 146, 152, 153, 154, 155, 156],
  'SQL finds and orders what the oracle finds, in random sets by random queries',
  async (t) => {
    for (let set = 0; set < SETS; set++) {
      const tenant = await app.createTenant();
      const declared = await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, OWN_EXTENSION);
      t.equal(declared.status, 201);
      const client = clientOf(app, await app.scimKey(tenant));
      const { users, groups } = await fill(client, SEED + set, t);
      await compareAll(client, users, set);
      await compareAll(client, groups, set);
    }
  },
);

t.test('what random search has found once', async (t) => {
  const client = clientOf(app, await app.scimKey(await app.createTenant()));
  await client.user('ada');
  for (const [filter, found] of [
    ['meta[resourceType eq "User"]', 1],
    ['meta[version eq "W/\\"1\\"" and not (created pr)]', 0],
    ['not (meta[location pr])', 0],
  ] as const) {
    t.equal((await client.list('/Users', filter)).body.totalResults, found, filter);
  }
});
