import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { v7 } from 'uuid';
import { readBulkRequest } from '../../../src/scim/bulk.ts';
import { inOrder } from '../../../src/scim/bulk-order.ts';
import { startApp } from '../../support/app.ts';
import { BULK_REQUEST, bulkOf, idAt, type Operation } from '../../support/bulk.ts';
import { type Client, clientOf, ENTERPRISE, GROUP, type List, PATCH_OP, USER } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';
import { runs } from '../../support/runs.ts';
import { reading } from '../../support/scim.ts';

/**
 * A /Bulk comes to the same as its operations one by one: the same statuses, resources, versions and events. It is
 * sent in one tenant; in another the operations are single requests, in the order that `inOrder` claims (whose own
 * test is test/scim/bulk.test.ts). Circles cannot be sent one by one and have tests of their own.
 */

const app = await startApp(t);

interface Job {
  readonly operations: readonly Operation[];
  readonly failOnErrors: number | undefined;
}

/** What is there before: names in the operations are replaced by the ids. */
const BEFORE = ['@user0', '@user1', '@user2', '@group0', '@group1'] as const;

async function newWorld() {
  const tenant = await app.createTenant();
  const client = clientOf(app, await app.scimKey(tenant));
  const users = [await client.user('n0'), await client.user('n1'), await client.user('n2')];
  const [first, second] = users;
  const groups = [await client.group('g0', [first?.id ?? '', second?.id ?? '']), await client.group('g1')];
  const ids = new Map<string, string>(
    [...users, ...groups].map(({ id }, index) => [BEFORE[index] ?? '', id]),
  );
  return { tenant, client, ids };
}

type World = Awaited<ReturnType<typeof newWorld>>;

function placed<Value>(value: Value, names: ReadonlyMap<string, string>): Value {
  let text = JSON.stringify(value);
  for (const [name, id] of names) text = text.replaceAll(name, id);
  return JSON.parse(text) as Value;
}

/** The statuses of the results, undefined for those that are left out; new ids are noted under `<index>`. */
async function inBulk({ client, ids }: World, { operations, failOnErrors }: Job) {
  const { status, body } = await bulkOf(client)(placed(operations, ids), { failOnErrors });
  if (status !== 200) throw new Error(JSON.stringify(body));
  const left = [...body.Operations];
  return operations.map(({ method, bulkId }, index) => {
    // Each operation has its bulkId here, so that what is left out can be told.
    if (left[0]?.bulkId !== bulkId) return undefined;
    const result = left.shift();
    if (method === 'POST' && result?.status === '201') ids.set(`<${index}>`, idAt(result));
    return result?.status;
  });
}

/** The operations in the order that is claimed. */
async function ordered(operations: readonly Operation[]) {
  const pause = async () => {};
  const body = { schemas: [BULK_REQUEST], Operations: operations };
  const request = await readBulkRequest(body, { reading: reading(), mint: v7, pause });
  return inOrder(request.operations, pause);
}

async function oneByOne({ client, ids }: World, { operations, failOnErrors = Infinity }: Job) {
  const units = await ordered(placed(operations, ids));
  const statuses: (string | undefined)[] = operations.map(() => undefined);
  const created = new Map<string, string>();
  let errors = 0;
  for (const [operation] of units) {
    if (errors >= failOnErrors) break;
    const status = await single(
      client,
      placed(operations[operation.index] as Operation, ids),
      operations,
      created,
    );
    const bulkId = operations[operation.index]?.bulkId ?? '';
    if (created.has(bulkId)) ids.set(`<${operation.index}>`, created.get(bulkId) ?? '');
    statuses[operation.index] = status;
    if (Number(status) >= 400) errors += 1;
  }
  return statuses;
}

const referencesIn = (value: unknown): string[] =>
  [...(JSON.stringify(value) ?? '').matchAll(/bulkId:(\w+)/g)].map(([, name]) => name ?? '');

/** One operation as a request, with the ids of what was created before. */
async function single(
  client: Client,
  operation: Operation,
  all: readonly Operation[],
  created: Map<string, string>,
): Promise<string> {
  const referred = referencesIn([operation.path, operation.data]);
  const posts = all.filter(({ method }) => method === 'POST');
  if (referred.some((name) => posts.every(({ bulkId }) => bulkId !== name))) return '400';
  const groups = posts.filter(({ path }) => path === '/Groups').map(({ bulkId }) => bulkId);
  const others = referencesIn(operation.data).filter((name) => operation.path !== `/Groups/bulkId:${name}`);
  const nested = operation.path.startsWith('/Groups') && others.some((name) => groups.includes(name));
  if (nested) return '400';
  const missing = referred.some((name) => !created.has(name) && name !== operation.bulkId);
  if (missing) return '409';
  const names = new Map([...created].map(([name, id]) => [`bulkId:${name}`, id]));
  const { method, path, data, version } = placed(operation, names);
  const headers = version === undefined ? {} : { 'if-match': version };
  const { status, body } = await client.ask(method as 'POST', path, data, headers);
  if (method === 'POST' && status === 201) created.set(operation.bulkId ?? '', body.id);
  return String(status);
}

/**
 * References by the names of what they mean. They are shown by id, and the ids of new resources rise with the places
 * of the operations in a /Bulk, with the order of the requests otherwise.
 */
const referencesByName = (_: string, value: unknown): unknown =>
  Array.isArray(value) && value.every((each) => each !== null && typeof each === 'object' && 'value' in each)
    ? value.toSorted((left, right) => (left.value < right.value ? -1 : 1))
    : value;

/** Everything of a tenant, with names for ids and without times: resources, and the events of each resource. */
async function stateOf({ tenant, client, ids }: World) {
  await app.sealEvents();
  const events = await app.admin<{ events: Record<string, unknown>[] }>(
    'GET',
    `/tenants/${tenant.id}/events?limit=1000`,
  );
  const lists = [await client.ask<List>('GET', '/Users'), await client.ask<List>('GET', '/Groups')];
  const names = new Map([...ids].map(([name, id]) => [id, name]));
  const resources = lists.flatMap(({ body }) => body.Resources);
  const told = events.body.events
    .filter(({ type }) => /^(user|group)\./.test(String(type)))
    .map(({ type, resource, before, after }) => ({ resource, type, before, after }));
  /** Without times, and without the digest of groups in a tag, which is one of ids. */
  const timeless = (value: unknown) =>
    JSON.stringify(placed(value, names), referencesByName)
      .replaceAll(/"(created|lastModified)":"[^"]*",?/g, '')
      .replaceAll(/(W\/\\"\d+)\.[\w-]+/g, '$1');
  const byResource = told.sort((left, right) =>
    timeless(left.resource) < timeless(right.resource) ? -1 : 1,
  );
  return {
    resources: resources.map(timeless).sort(),
    events: byResource.map(timeless),
    changes: new Set(events.body.events.map(({ changeId }) => changeId)).size,
  };
}

const userName = fc.constantFrom('n0', 'N1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7');
const displayName = fc.constantFrom('g0', 'G1', 'g2', 'g3');
const created = fc.integer({ min: 0, max: 6 }).map((number) => `bulkId:b${number}`);
const anybody = fc.oneof(fc.constantFrom('@user0', '@user1', '@user2'), created);
const anyGroup = fc.oneof(
  { arbitrary: fc.constantFrom('@group0', '@group1'), weight: 3 },
  { arbitrary: created, weight: 1 },
);
const members = fc.uniqueArray(anybody, { maxLength: 2 }).map((ids) => ids.map((value) => ({ value })));
const version = fc.constantFrom({}, {}, {}, { version: 'W/"1"' }, { version: 'W/"2"' });

const userContent = fc.record({ userName, manager: fc.option(anybody, { nil: undefined }) }).map((user) => ({
  schemas: [USER],
  userName: user.userName,
  ...(user.manager && { [ENTERPRISE]: { manager: { value: user.manager } } }),
}));
const groupContent = fc.record({ displayName, members }).map((group) => ({ schemas: [GROUP], ...group }));
const userPatch = fc.oneof(
  userName.map((value) => ({ op: 'replace', path: 'userName', value })),
  fc.boolean().map((value) => ({ op: 'replace', path: 'active', value })),
  fc.constantFrom('T', 'U').map((value) => ({ op: 'add', path: 'title', value })),
  anybody.map((value) => ({ op: 'add', path: `${ENTERPRISE}:manager`, value: { value } })),
);
const groupPatch = fc.oneof(
  displayName.map((value) => ({ op: 'replace', path: 'displayName', value })),
  members.map((value) => ({ op: 'add', path: 'members', value })),
  anybody.map((value) => ({ op: 'remove', path: `members[value eq "${value}"]` })),
);
const patchOf = (patch: fc.Arbitrary<object>) =>
  fc.array(patch, { minLength: 1, maxLength: 2 }).map((Operations) => ({ schemas: [PATCH_OP], Operations }));

type Unnamed = Omit<Operation, 'bulkId'>;

const newUser = userContent.map((data): Unnamed => ({ method: 'POST', path: '/Users', data }));
const newGroup = groupContent.map((data): Unnamed => ({ method: 'POST', path: '/Groups', data }));
const change = (path: fc.Arbitrary<string>, content: fc.Arbitrary<object>, patch: fc.Arbitrary<object>) =>
  fc.oneof(
    fc
      .tuple(path, version, content)
      .map(([at, held, data]): Unnamed => ({ method: 'PUT', path: at, ...held, data })),
    fc
      .tuple(path, version, patchOf(patch))
      .map(([at, held, data]): Unnamed => ({ method: 'PATCH', path: at, ...held, data })),
    fc.tuple(path, version).map(([at, held]): Unnamed => ({ method: 'DELETE', path: at, ...held })),
  );
const operation = fc.oneof(
  newUser,
  newGroup,
  change(
    anybody.map((id) => `/Users/${id}`),
    userContent,
    userPatch,
  ),
  change(
    anyGroup.map((id) => `/Groups/${id}`),
    groupContent,
    groupPatch,
  ),
);
const job: fc.Arbitrary<Job> = fc.record({
  operations: fc
    .tuple(
      fc.array(newUser, { minLength: 1, maxLength: 4 }),
      fc.array(operation, { minLength: 2, maxLength: 10 }),
    )
    .map(([users, others]) => [...users, ...others])
    .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }))
    .map((all) => all.map((each, index): Operation => ({ ...each, bulkId: `b${index}` }))),
  failOnErrors: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 3 }),
});

/** Whether new resources refer to each other, or one to itself: their ids are needed before they are there. */
async function hasCircle({ operations }: Job): Promise<boolean> {
  return (await ordered(operations)).some(
    (unit) =>
      unit.length > 1 ||
      unit.some((each) => 'names' in each && each.method === 'POST' && each.names.has(each.resource.id)),
  );
}

meets(t, [236, 238], 'a /Bulk comes to the same as its operations one by one', async (t) => {
  let carriedOut = 0;
  await fc.assert(
    fc.asyncProperty(job, async (each) => {
      fc.pre(!(await hasCircle(each)));
      const [one, other] = [await newWorld(), await newWorld()];
      const [together, apart] = [await inBulk(one, each), await oneByOne(other, each)];
      deepStrictEqual(together, apart);
      deepStrictEqual(await stateOf(one), await stateOf(other));
      carriedOut += apart.filter((status) => Number(status) < 300).length;
    }),
    { numRuns: runs(60, 600) },
  );
  t.ok(carriedOut > 30, `${carriedOut} operations succeeded`);
});
