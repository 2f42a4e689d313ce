import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc, { type Arbitrary } from 'fast-check';
import t from 'tap';
import { bodies } from '../../oracle/arbitraries.ts';
import { OWN_EXTENSION } from '../../oracle/extension.ts';
import { type Operation, outcome, writablePart } from '../../oracle/patch.ts';
import { operations, writeOperation } from '../../oracle/patch-arbitraries.ts';
import { readTypeSchema } from '../../oracle/schema.ts';
import { chooser } from '../../oracle/write.ts';
import { startApp } from '../../support/app.ts';
import { clientOf, type ErrorBody, GROUP, type Resource } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';
import { runs, SEED } from '../../support/runs.ts';

/** PATCH through HTTP and PostgreSQL, against a model on plain objects that was written from RFC 7644. */

t.comment(`ROLLCALL_SEED=${SEED}`);
const app = await startApp(t);
const tenant = await app.createTenant();
await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, OWN_EXTENSION);
const client = clientOf(app, await app.scimKey(tenant));
const users = await readTypeSchema(client, '/Users');
if (users.extensions.length !== 2)
  throw new Error('the enterprise schema and the tenant’s own were expected');

const read = async (path: string) => (await client.ask('GET', path)).body;

/** A user with these attributes and a name of its own. */
const create = async (attributes: object) =>
  (await client.ask('POST', '/Users', { ...attributes, userName: randomUUID() })).body;

/** Fails with all that one needs to see it again. */
function same(answer: unknown, wanted: unknown, shown: object): void {
  if (isDeepStrictEqual(answer, wanted)) return;
  throw new Error(`ROLLCALL_SEED=${SEED} ${JSON.stringify({ ...shown, answer, wanted }, null, 1)}`);
}

/** The resource after a PATCH that had to end as the model says; refused or without effect, it is as it was. */
async function patchAsTheModel(path: string, list: readonly Operation[], written: readonly object[]) {
  const before = await read(path);
  const wanted = outcome(writablePart(before, users), list, users);
  const answer = await client.patch(path, written);
  const after = await read(path);
  const shown = { before, written };
  const taken = answer.status === 409;
  if (taken || typeof wanted === 'string') {
    const { scimType } = answer.body as unknown as ErrorBody;
    same([answer.status, scimType], taken ? [409, 'uniqueness'] : [400, wanted], shown);
    same(after, before, shown);
    return undefined;
  }
  same([answer.status, answer.body], [200, after], shown);
  same(writablePart(after, users), wanted, shown);
  const isUnchanged = isDeepStrictEqual(wanted, writablePart(before, users));
  same(after.meta.version === before.meta.version, isUnchanged, shown);
  if (isUnchanged) same(after, before, shown);
  return wanted;
}

meets(
  t,
  [
    189, 190, 193, 194, 195, 196, 200, 202, 203, 204, 205, 206, 207, 208, 210, 211, 212, 213, 214, 216, 217,
    218, 219,
  ],
  'random PATCHes end as the model says, and as a PUT of the model’s result; refused ones change nothing',
  async () => {
    const body = bodies(users, { active: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(body, fc.gen(), async (attributes, generate) => {
        const [patchedUser, putUser] = await Promise.all([create(attributes), create(attributes)]);
        const [path, twinPath] = [`/Users/${patchedUser.id}`, `/Users/${putUser.id}`];
        for (let step = 0; step < 3; step++) {
          const operation = operations(users, await read(path));
          const list = generate(
            (all: Arbitrary<Operation>) => fc.array(all, { minLength: 1, maxLength: 4 }),
            operation,
          );
          const choose = chooser(
            generate(() => fc.noShrink(fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 }))),
          );
          const written = list.map((each) => writeOperation(each, users, choose));
          const wanted = await patchAsTheModel(path, list, written);
          if (wanted === undefined) continue;
          // A PUT that does not say `active` keeps it: what is left out must not let a leaver back in.
          const { active } = await read(twinPath);
          const own = { active, ...wanted, userName: putUser.userName };
          const sent = { schemas: [users.core], ...wanted, userName: putUser.userName };
          const { status } = await client.ask('PUT', twinPath, sent);
          const shown = { put: own, written };
          same(status, 200, shown);
          same(writablePart(await read(twinPath), users), own, shown);
        }
      }),
      { numRuns: runs(60, 1_500), seed: SEED, endOnFailure: true },
    );
  },
);

type Members = ReadonlySet<string>;

/** One way to change the members of a group: what is sent, and who is in it afterwards. */
interface MemberChange {
  readonly operation: object;
  readonly after: (members: Members) => Iterable<string>;
}

function memberChanges(everybody: readonly string[]): Arbitrary<MemberChange> {
  const some = fc.subarray([...everybody], { maxLength: 4 });
  const one = fc.constantFrom(...everybody);
  const list = (ids: readonly string[]) => ids.map((value) => ({ value }));
  const without = (ids: readonly string[]) => (members: Members) =>
    [...members].filter((id) => !ids.includes(id));
  const path = 'members';
  return fc.oneof(
    some.map((ids) => ({
      operation: { op: 'add', path, value: list(ids) },
      after: (was: Members) => [...was, ...ids],
    })),
    some.map((ids) => ({
      operation: { op: 'Add', value: { members: list(ids) } },
      after: (was: Members) => [...was, ...ids],
    })),
    one.map((id) => ({
      operation: { op: 'add', path, value: { value: id } },
      after: (was: Members) => [...was, id],
    })),
    some.map((ids) => ({ operation: { op: 'replace', path, value: list(ids) }, after: () => ids })),
    some.map((ids) => ({ operation: { op: 'replace', value: { Members: list(ids) } }, after: () => ids })),
    some.map((ids) => ({ operation: { op: 'Remove', path, value: list(ids) }, after: without(ids) })),
    one.map((id) => ({
      operation: { op: 'remove', path: `members[value eq "${id}"]` },
      after: without([id]),
    })),
    one.map((id) => ({
      operation: { op: 'remove', path: `members[not (value ne "${id}")]` },
      after: without([id]),
    })),
    fc.constant({ operation: { op: 'remove', path }, after: () => [] }),
    fc.uuid().map((value) => ({
      operation: { op: 'replace', path: 'displayName', value },
      after: (was: Members) => was,
    })),
  );
}

meets(
  t,
  [205, 207, 211, 212, 215, 217],
  'random changes of members end in the set that a model has',
  async () => {
    const everybody = await Promise.all(
      Array.from({ length: 8 }, async () => (await client.user(randomUUID())).id),
    );
    const idsOf = ({ members = [] }: Resource) => members.map(({ value }) => value).sort();
    const change = memberChanges(everybody);
    const refused = { op: 'add', path: 'members', value: [{ value: randomUUID() }] };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { minLength: 1, maxLength: 5 }), { maxLength: 4 }),
        async (lists) => {
          const { body: group } = await client.ask('POST', '/Groups', {
            schemas: [GROUP],
            displayName: randomUUID(),
          });
          const path = `/Groups/${group.id}`;
          for (const list of lists) {
            const before = await read(path);
            const shown = { before, list: list.map(({ operation }) => operation) };
            const failed = await client.patch(path, [...shown.list, refused]);
            same([failed.status, await read(path)], [400, before], shown);
            const answer = await client.patch(path, shown.list);
            const after = await read(path);
            const wanted = list.reduce<Members>(
              (was, each) => new Set(each.after(was)),
              new Set(idsOf(before)),
            );
            same([answer.status, idsOf(after)], [204, [...wanted].sort()], shown);
            const isUnchanged =
              isDeepStrictEqual(idsOf(after), idsOf(before)) && after.displayName === before.displayName;
            same(after.meta.version === before.meta.version, isUnchanged, shown);
          }
        },
      ),
      { numRuns: runs(40, 1_500), seed: SEED, endOnFailure: true },
    );
  },
);
