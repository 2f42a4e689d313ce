import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc, { type Arbitrary } from 'fast-check';
import t from 'tap';
import { bodies } from '../../oracle/arbitraries.ts';
import { OWN_EXTENSION } from '../../oracle/extension.ts';
import { brokenBodies } from '../../oracle/fuzz.ts';
import { operations, writeOperation } from '../../oracle/patch-arbitraries.ts';
import type { JsonResource } from '../../oracle/query.ts';
import { readTypeSchema, type TypeSchema } from '../../oracle/schema.ts';
import { flaws } from '../../oracle/well-formed.ts';
import { chooser } from '../../oracle/write.ts';
import { startApp } from '../../support/app.ts';
import { clientOf, PATCH_OP } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';
import { failWith, requireAnswered } from '../../support/fuzzing.ts';
import { runs, SEED } from '../../support/runs.ts';

/** Bodies that are almost right, through HTTP and PostgreSQL: stored or refused, and never half. */

t.comment(`ROLLCALL_SEED=${SEED}`);
const app = await startApp(t);
const tenant = await app.createTenant();
await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, OWN_EXTENSION);
const client = clientOf(app, await app.scimKey(tenant));
const users = await readTypeSchema(client, '/Users');
const groups = await readTypeSchema(client, '/Groups');
const choices = fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 });
const namesOf = (type: TypeSchema) => type.attributes.map(({ definition }) => definition.name);

const messages = (operation: Arbitrary<object>) =>
  fc
    .array(operation, { minLength: 1, maxLength: 3 })
    .map((Operations) => ({ schemas: [PATCH_OP], Operations }));

t.test('5,000 broken POSTs make a whole user or none', async (t) => {
  const people = bodies(users, { userName: fc.uuid(), active: fc.boolean() });
  let created = 0;
  await fc.assert(
    fc.asyncProperty(brokenBodies(people, namesOf(users)), async (text) => {
      const answer = await client.ask('POST', '/Users', text);
      requireAnswered(answer, text);
      if (answer.status >= 400) return;
      created += 1;
      await requireWhole(`/Users/${answer.body.id}`, users, text);
    }),
    { numRuns: runs(5_000, 15_000), seed: SEED, endOnFailure: true },
  );
  const { body } = await client.ask('GET', '/Users?count=0');
  t.equal(body.totalResults, created, 'what was refused left nothing');
});

async function requireWhole(path: string, type: TypeSchema, text: string): Promise<JsonResource> {
  const { status, body } = await client.ask('GET', path);
  const found = status === 200 ? flaws(body as JsonResource, type) : [`GET answers ${status}`];
  if (found.length > 0) failWith({ found, text });
  return body as JsonResource;
}

/** The resources as they were read last, by path. */
const known = new Map<string, unknown>();

/** Sends a broken PATCH: the resource is whole afterwards, and as it was where the PATCH was refused. */
async function patchBroken(path: string, type: TypeSchema, text: string): Promise<void> {
  const before = known.get(path) ?? (await client.ask('GET', path)).body;
  const answer = await client.ask('PATCH', path, text);
  requireAnswered(answer, text);
  const after = await requireWhole(path, type, text);
  if (answer.status >= 400 && !isDeepStrictEqual(after, before)) failWith({ text, before, after });
  known.set(path, after);
}

meets(t, [189, 196, 197], '3,000 broken PATCHes change a whole user or nothing', async (t) => {
  const sent = fc.sample(bodies(users, { userName: fc.uuid(), active: fc.boolean() }), {
    numRuns: 8,
    seed: SEED,
  });
  // The names of the sample may be taken: the same seed made users above.
  const made = await Promise.all(
    sent.map(async (body) => {
      const { status, body: user } = await client.ask('POST', '/Users', { ...body, userName: randomUUID() });
      t.equal(status, 201);
      return user;
    }),
  );
  const operationsOf = (user: JsonResource) =>
    fc
      .tuple(operations(users, user), choices)
      .map(([each, all]) => writeOperation(each, users, chooser(all)));
  const patches = fc.constantFrom(...made).chain((user) =>
    fc.record({
      user: fc.constant(user),
      text: brokenBodies(messages(operationsOf(user)), [...namesOf(users), 'op', 'path', 'value']),
    }),
  );
  await fc.assert(
    fc.asyncProperty(patches, ({ user, text }) => patchBroken(`/Users/${user.id}`, users, text)),
    { numRuns: runs(3_000, 15_000), seed: SEED, endOnFailure: true },
  );
});

meets(t, [189, 196, 197], '2,000 broken PATCHes change a whole group or nothing', async () => {
  const ids = await Promise.all(Array.from({ length: 4 }, async () => (await client.user(randomUUID())).id));
  const group = await client.group(randomUUID(), ids.slice(0, 2));
  const value = fc.subarray(ids).map((all) => all.map((each) => ({ value: each })));
  const operation = fc.oneof(
    fc.record({ op: fc.constantFrom('add', 'replace', 'remove'), path: fc.constant('members'), value }),
    fc.constantFrom(...ids).map((id) => ({ op: 'remove', path: `members[value eq "${id}"]` })),
    fc.record({ op: fc.constant('replace'), value: fc.record({ displayName: fc.uuid(), members: value }) }),
    fc.record({ op: fc.constant('replace'), path: fc.constant('externalId'), value: fc.uuid() }),
  );
  const texts = brokenBodies(messages(operation), [...namesOf(groups), 'op', 'path', 'value']);
  await fc.assert(
    fc.asyncProperty(texts, (text) => patchBroken(`/Groups/${group.id}`, groups, text)),
    { numRuns: runs(2_000, 15_000), seed: SEED, endOnFailure: true },
  );
});
