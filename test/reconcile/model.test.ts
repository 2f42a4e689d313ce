import fc from 'fast-check';
import t from 'tap';
import { EMPTY, ownersOf, type State } from '../oracle/reconcile.ts';
import { commands, idOf, PERMISSIONS, PROVIDERS } from '../oracle/reconcile-arbitraries.ts';
import { type Command, type Refusal, step } from '../oracle/reconcile-step.ts';
import { type Answer, type AnyBody, startApp } from '../support/app.ts';
import type { SignedInBody } from '../support/gateway.ts';
import { type Moment, requireConsistent } from '../support/reconcile-end.ts';
import { requireAnswered } from '../support/reconcile-gateway.ts';
import { differenceFrom, readStored, type Stored, touchedInVain } from '../support/reconcile-stored.ts';
import { newReconcileTenant, type ReconcileTenant, withIds } from '../support/reconcile-tenant.ts';
import { runs, SEED } from '../support/runs.ts';

/**
 * Random histories of a tenant, by HTTP, against the specification (`test/oracle/reconcile.ts`): after each command
 * what is stored is what should be held, and what is refused is refused for the reason that the specification has.
 */

t.comment(`ROLLCALL_SEED=${SEED}`);
/** So many histories go on side by side, each in a tenant of its own. */
const SIDE_BY_SIDE = 4;

// Every moment is later than the one before, or two commands within one millisecond would be one.
let moment = Date.parse('2026-01-01T00:00:00Z');
const app = await startApp(t, { now: () => new Date(moment++) });

/** The status and reason that a refusal has on either surface. */
const REFUSED: Readonly<Record<Exclude<Refusal, 'absent'>, readonly [number, string | undefined]>> = {
  'not found': [404, undefined],
  taken: [409, 'name_taken'],
  'unknown member': [400, undefined],
  invalid: [400, 'invalid_mapping'],
  managed: [409, 'managed'],
  'in use': [409, 'in_use'],
  last_owner: [409, 'last_owner'],
  deactivated: [403, 'deactivated'],
  deprovisioned: [403, 'deprovisioned'],
  unknown_user: [403, 'unknown_user'],
  link_conflict: [409, 'link_conflict'],
};

function requireRefused(refusal: Exclude<Refusal, 'absent'>, { status, body, text }: Answer<AnyBody>): void {
  const [wanted, reason] = REFUSED[refusal];
  const told = typeof body?.reason === 'string' ? body.reason : undefined;
  if (status === wanted && (told === undefined || told.startsWith(reason ?? ''))) return;
  throw new Error(`refused as "${refusal}" was expected, not ${status} ${text}`);
}

/** What the service calls what it made: a resource, or the user who signed in. */
function idIn({ body }: Answer<AnyBody>): string {
  const { id } = (body?.user as { readonly id: string } | undefined) ?? body ?? {};
  return String(id ?? '');
}

/** Carries the command out on both sides, and compares. */
async function carryOut(tenant: ReconcileTenant, state: State, written: Command, before: Stored) {
  const command: Command =
    written.do === 'put mapping' ? { ...written, document: withIds(written.document, state, idOf) } : written;
  const foreseen = step(state, command);
  if (foreseen === 'absent') return { state, stored: before };
  const answer = await tenant.perform(command, state);
  const stored = await readStored(app.context.db, tenant.id);
  const after = typeof foreseen === 'string' ? state : step(state, command, idIn(answer));
  if (typeof foreseen === 'string') requireRefused(foreseen, answer);
  else if (answer.status >= 300) throw new Error(`answered ${answer.status} ${answer.text}`);
  if (typeof after === 'string') throw new Error(`an id decides: ${after}`);
  if (command.do === 'sign in' && after !== state) {
    requireAnswered(command, { before: state, after }, answer as Answer<SignedInBody>);
  }
  const difference = differenceFrom(stored, after);
  if (difference !== undefined)
    throw new Error(`stored is not what should be: ${JSON.stringify(difference, null, 1)}`);
  const touched = touchedInVain(before, stored);
  if (touched.length > 0) throw new Error(`touched in vain: ${JSON.stringify(touched)}`);
  requireAnOwner(state, after, command);
  return { state: after, stored };
}

/** Who had an owner has one, unless an owner was deactivated or deleted. */
function requireAnOwner(before: State, after: State, command: Command): void {
  const owners = ownersOf(before);
  if (owners.length === 0 || ownersOf(after).length > 0) return;
  if (!owners.some((user) => after.users[user]?.active)) return;
  throw new Error(`no owner is left by ${command.do}`);
}

async function play(history: readonly Command[]): Promise<void> {
  const tenant = await newReconcileTenant(app, PERMISSIONS);
  let state: State = { ...EMPTY, permissions: [...PERMISSIONS], providers: { ...PROVIDERS } };
  let stored = await readStored(app.context.db, tenant.id);
  const moments: Moment[] = [];
  for (const [index, command] of history.entries()) {
    try {
      ({ state, stored } = await carryOut(tenant, state, command, stored));
    } catch (error) {
      throw new Error(`command ${index}, ${JSON.stringify(command)}: ${(error as Error).message}`);
    }
    moments.push({ at: new Date(moment++), grants: stored.grants });
  }
  await requireConsistent(app, tenant.id, { state, moments });
}

/** Histories in which this or the specification was once wrong. */
const FOUND: Readonly<Record<string, readonly Command[]>> = {
  'a deleted identity stays so under a name that a directory gave and released': [
    { do: 'create directory', directory: 'entra' },
    { do: 'set', settings: { linkByEmail: 'verified_domains' } },
    { do: 'sign in', user: 'u3@acme.test', provider: 'google', groups: [] },
    { do: 'delete user', user: 'u3@acme.test', directory: 'default' },
    { do: 'post user', user: 'u3@acme.test', directory: 'entra', active: true, userType: null },
    { do: 'delete directory', directory: 'entra', users: 'release' },
    { do: 'sign in', user: 'u3@acme.test', provider: 'google', groups: [] },
    { do: 'sign in', user: 'u3@acme.test', provider: 'okta', groups: [] },
    { do: 'allow return', user: 'u3@acme.test' },
    { do: 'sign in', user: 'u3@acme.test', provider: 'google', groups: [] },
  ],
  'a claim for another, where two providers give to one user': [
    { do: 'set', settings: { linkByEmail: 'verified_domains' } },
    { do: 'sign in', user: 'u4@acme.test', provider: 'okta', groups: ['A'] },
    {
      do: 'put mapping',
      document: {
        tenant_permission: [
          { group_name: 'A', permissions: ['AUDIT_LOG_READ'] },
          { group_name: 'B', permissions: ['AUDIT_LOG_READ'] },
        ],
        mappings: [{ group_name: 'A', team_name: 'Red', role_name: 'VIEWER' }],
      },
      createTeams: true,
    },
    { do: 'sign in', user: 'u4@acme.test', provider: 'google', groups: [] },
    { do: 'sign in', user: 'u4@acme.test', provider: 'okta', groups: ['A'] },
    { do: 'sign in', user: 'u4@acme.test', provider: 'okta', groups: ['B'] },
  ],
};

for (const [what, history] of Object.entries(FOUND)) t.test(what, () => play(history));

const PATIENCE = runs(600_000, 6 * 3_600_000);
t.setTimeout(PATIENCE);

t.test('after every command what is stored is what should be held', { timeout: PATIENCE }, async () => {
  const numRuns = Math.ceil(runs(1_000, 20_000) / SIDE_BY_SIDE);
  await Promise.all(
    Array.from({ length: SIDE_BY_SIDE }, (_, place) =>
      fc.assert(fc.asyncProperty(commands, play), {
        numRuns,
        seed: SEED + place,
        endOnFailure: runs(1, 0) === 1,
      }),
    ),
  );
});
