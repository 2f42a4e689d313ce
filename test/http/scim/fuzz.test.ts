import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc, { type Arbitrary } from 'fast-check';
import t from 'tap';
import { bodies, filters, targetsOf } from '../../oracle/arbitraries.ts';
import { OWN_EXTENSION } from '../../oracle/extension.ts';
import { brokenBodies, brokenTexts, prototypeState } from '../../oracle/fuzz.ts';
import { operations, writeOperation } from '../../oracle/patch-arbitraries.ts';
import type { JsonResource } from '../../oracle/query.ts';
import { readTypeSchema, type TypeSchema } from '../../oracle/schema.ts';
import { flaws } from '../../oracle/well-formed.ts';
import { chooser, writeFilter } from '../../oracle/write.ts';
import { type Answer, startApp } from '../../support/app.ts';
import { clientOf, type ErrorBody, PATCH_OP } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';
import { runs, SEED } from '../../support/runs.ts';

/** Requests that are almost right, through HTTP and PostgreSQL: answered or refused, and never half done. */

const app = await startApp(t);
const tenant = await app.createTenant();
await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, OWN_EXTENSION);
const client = clientOf(app, await app.scimKey(tenant));
const users = await readTypeSchema(client, '/Users');
const groups = await readTypeSchema(client, '/Groups');
const pristine = prototypeState();
const choices = fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 });
const namesOf = (type: TypeSchema) => type.attributes.map(({ definition }) => definition.name);

const messages = (operation: Arbitrary<object>) =>
  fc
    .array(operation, { minLength: 1, maxLength: 3 })
    .map((Operations) => ({ schemas: [PATCH_OP], Operations }));

const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** Fails for what no client may see: a 5xx, an error that says nothing, a changed prototype. */
function requireAnswered(answer: Answer<unknown>, shown: unknown): void {
  const { status, body } = answer as Answer<ErrorBody>;
  const isError = status >= 400;
  const saysWhy = body?.schemas?.[0] === ERROR && body.status === String(status) && body.detail;
  const isRefusal = status < 500 && saysWhy && (status !== 400 || body.scimType !== undefined);
  if ((isError && !isRefusal) || prototypeState() !== pristine) fail({ status, body, shown });
}

function fail(shown: object): never {
  throw new Error(`ROLLCALL_SEED=${SEED} ${JSON.stringify(shown)}`);
}

meets(t, [130, 139, 145], 'broken filters are answered or refused, in GET and in .search', async (t) => {
  t.equal(users.extensions.length, 2, 'the enterprise schema and the tenant’s own');
  const { body } = await client.ask('POST', '/Users', {
    userName: 'ada',
    emails: [{ value: 'a@x', type: 'work' }],
  });
  const valid = fc
    .tuple(filters(targetsOf(users, [body])), choices)
    .map(([node, all]) => writeFilter(node, users, chooser(all)));
  await fc.assert(
    fc.asyncProperty(
      brokenTexts(valid),
      fc.constantFrom('/Users', '/Groups'),
      fc.boolean(),
      async (filter, endpoint, inUrl) => {
        // A lone surrogate has no form in a URL.
        const byGet = inUrl && filter.isWellFormed() && filter.length < 8_000;
        const answer = byGet
          ? await client.list(endpoint, filter)
          : await client.ask('POST', `${endpoint}/.search`, { filter });
        requireAnswered(answer, filter);
      },
    ),
    { numRuns: runs(1_500, 30_000), seed: SEED, endOnFailure: true },
  );
});

t.test('broken POSTs make a whole user or none', async () => {
  const people = bodies(users, { userName: fc.uuid(), active: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(brokenBodies(people, namesOf(users)), async (text) => {
      const answer = await client.ask('POST', '/Users', text);
      requireAnswered(answer, text);
      if (answer.status === 201) await requireWhole(`/Users/${answer.body.id}`, users, text);
    }),
    { numRuns: runs(800, 15_000), seed: SEED, endOnFailure: true },
  );
});

async function requireWhole(path: string, type: TypeSchema, text: string): Promise<void> {
  const { status, body } = await client.ask('GET', path);
  const found = status === 200 ? flaws(body as JsonResource, type) : [`GET answers ${status}`];
  if (found.length > 0) fail({ found, text });
}

/** Sends a broken PATCH: the resource is whole afterwards, and as it was where the PATCH was refused. */
async function patchBroken(path: string, type: TypeSchema, text: string): Promise<void> {
  const before = await client.ask('GET', path);
  const answer = await client.ask('PATCH', path, text);
  requireAnswered(answer, text);
  if (answer.status < 300) await requireWhole(path, type, text);
  else if (!isDeepStrictEqual((await client.ask('GET', path)).body, before.body)) fail({ text, before });
}

meets(t, [189, 196, 197], 'broken PATCHes change a whole user or nothing', async () => {
  const sent = fc.sample(bodies(users, { userName: fc.uuid(), active: fc.boolean() }), {
    numRuns: 8,
    seed: SEED,
  });
  const made = await Promise.all(sent.map(async (body) => (await client.ask('POST', '/Users', body)).body));
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
    { numRuns: runs(800, 15_000), seed: SEED, endOnFailure: true },
  );
});

meets(t, [189, 196, 197], 'broken PATCHes change a whole group or nothing', async () => {
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
    { numRuns: runs(400, 15_000), seed: SEED, endOnFailure: true },
  );
});
