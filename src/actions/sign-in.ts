import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { lockTenantShared } from '../db/locks.ts';
import { conversation, pipeline, sendBy, snapshot, transaction } from '../db/transaction.ts';
import { noteLinkedUser } from '../directory/identity-links.ts';
import { profileOf, profilesOfNoted } from '../directory/profiles.ts';
import { signInAgain, standingOfSubject } from '../directory/sign-in-again.ts';
import { peopleOf } from '../directory/sign-in-people.ts';
import { whoSignsIn } from '../directory/who-signs-in.ts';
import { AppError } from '../errors.ts';
import { accessByUser, accessOfNoted, decideAccess, NO_ACCESS } from '../reconcile/access.ts';
import { syncedOfNoted } from '../reconcile/sign-in.ts';
import { rehearsed } from './rehearsal.ts';
import {
  decidedOn,
  doorsIn,
  foundOf,
  hasProfile,
  isSynced,
  type Occasion,
  occasionOf,
  requireRules,
  type SignInRequest,
  signInRules,
  syncs,
  writesProfile,
} from './sign-in-read.ts';
import { keptVerdict, type SignInAnswer, type Verdict, verdictAgain, warningsOf } from './sign-in-verdict.ts';
import { acceptedAfter, carryOut, Moved } from './sign-in-write.ts';

/** How often a sign-in is decided anew that somebody has overtaken. */
const ATTEMPTS = 6;

/**
 * Signs somebody in by a verified assertion, which it uses up, whatever comes of it: finds, links or creates the user,
 * notes what was said of them, gives and takes what follows from it, and answers what they may do.
 * @throws AppError `forbidden`: `deactivated`, `deprovisioned`, `rejected`, `unknown_user`, `unmapped`; `conflict`:
 *   `link_conflict`, `replayed`; `assertion_refused`: `attribute_missing`; `not_found`, `unavailable` like `requireRules`.
 */
export async function signIn(context: Context, actor: Actor, request: SignInRequest): Promise<SignInAnswer> {
  const occasion = occasionOf(context, actor, request);
  const attempt = request.dryRun ? rehearse : decide;
  const verdict = await unlessOvertaken(() => attempt(context, occasion));
  if ('refusal' in verdict) throw verdict.refusal;
  return verdict.answer;
}

/** Whoever is overtaken between what was read and what is written decides again on what holds then. */
async function unlessOvertaken(attempt: () => Promise<Verdict>): Promise<Verdict> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isOvertaken(error)) throw error;
      if (attempts === ATTEMPTS) throw overtaken(error);
    }
  }
}

async function decide(context: Context, occasion: Occasion): Promise<Verdict> {
  const read = await readSignIn(context, occasion);
  if ('verdict' in read) return read.verdict;
  if (read.again !== undefined && (await writeAgain(context, occasion, read.again))) {
    return { answer: read.again.answer };
  }
  return conversation(context.db, occasion.tenantId, (send) => carryOut(send, occasion, read.ids));
}

function isOvertaken(error: unknown): boolean {
  return (
    error instanceof Moved ||
    violates(error, 'scim_user_user_name_key') ||
    violates(error, 'identity_link_pkey') ||
    violates(error, 'identity_link_user_key')
  );
}

function overtaken(cause: unknown): AppError {
  return new AppError('unavailable', 'Others change this user again and again', {
    reason: 'busy',
    hint: 'Nothing was written, and the assertion is not used up. Repeat the request after the seconds in Retry-After.',
    cause,
  });
}

/** The same transaction, taken back. */
function rehearse(context: Context, occasion: Occasion): Promise<Verdict> {
  return rehearsed<Verdict>(true, async (end) => {
    const ids = (await snapshot(context.db, [peopleOf(occasion.subject)]))[0].map(({ id }) => id);
    return transaction(context.db, occasion.tenantId, async (trx) =>
      end(await carryOut(sendBy(trx), occasion, ids)),
    );
  });
}

/** What came of the read: all is said, or who may be meant, and whether the write only notes that they were here. */
type Read =
  | { readonly verdict: Verdict }
  | { readonly ids: readonly string[]; readonly again: Again | undefined };

interface Again {
  readonly answer: SignInAnswer;
  readonly standing: string;
}

/** The first of two waits. */
async function readSignIn({ db }: Context, occasion: Occasion): Promise<Read> {
  const { tenantId, provider, subject, facts } = occasion;
  const [
    ,
    rulesRows,
    mapped,
    waysRows,
    people,
    obstacles,
    [consumed],
    [standing],
    [synced],
    [profile],
    held,
    via,
  ] = await snapshot(db, [
    noteLinkedUser(subject),
    ...decidedOn(occasion),
    standingOfSubject(subject),
    syncedOfNoted(tenantId, provider.name),
    profilesOfNoted(tenantId),
    ...accessOfNoted(tenantId),
  ]);
  if (consumed !== undefined) return { verdict: verdictAgain(consumed, people) };
  const rules = requireRules(occasion, rulesRows, mapped);
  const ids = [...new Set(people.map(({ id }) => id))];
  const doors = doorsIn(occasion, waysRows);
  const decision = whoSignsIn(facts, foundOf(people, obstacles), signInRules(occasion, rules, doors));
  if (decision.kind !== 'enter' || standing === undefined || profile === undefined) {
    return { ids, again: undefined };
  }
  const user = profileOf(profile);
  const access = decideAccess(accessByUser(held, via).get(user.id) ?? NO_ACCESS, {
    ...rules.settings,
    active: user.active,
  });
  const { person } = decision;
  const isAsItWas =
    access.signIn === 'allow' &&
    (doors.ways.invitation === null || person.managed) &&
    (!writesProfile(occasion, person) || hasProfile(occasion, user)) &&
    (!syncs(occasion, person) || isSynced(occasion, synced));
  const answer = {
    outcome: 'unchanged',
    user,
    access,
    identityProviderGroups: facts.groups,
    changes: [],
    warnings: warningsOf(facts, doors, { isNew: false }),
  } as const;
  return { ids, again: isAsItWas ? { answer, ...standing } : undefined };
}

/** The second; false: what was read does not hold any more. */
async function writeAgain(
  { db }: Context,
  occasion: Occasion,
  { answer, standing }: Again,
): Promise<boolean> {
  const { tenantId, subject, consumption, now, told } = occasion;
  const [, [done]] = await pipeline(db, [
    lockTenantShared(tenantId),
    signInAgain(subject, now, {
      ...told,
      standing,
      consumption,
      answered: keptVerdict({ answer }),
      after: JSON.stringify(acceptedAfter(occasion, answer.outcome)),
    }),
  ]);
  return done !== undefined;
}
