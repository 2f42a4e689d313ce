import { v7 as uuid } from 'uuid';
import { lockInvitation, lockOwners, lockTenantShared, lockUsers } from '../db/locks.ts';
import { noteUsers } from '../db/noted.ts';
import type { Step } from '../db/statement.ts';
import type { Send } from '../db/transaction.ts';
import { consume } from '../directory/consumed-assertions.ts';
import { linkIdentity, noteClaims } from '../directory/identity-links.ts';
import { type Profile, profileOf, readProfiles } from '../directory/profiles.ts';
import { noteConflict, settleConflicts } from '../directory/sign-in-conflicts.ts';
import { userColumns, userResource } from '../directory/user-columns.ts';
import { bodyOfUser, insertUserAtSignIn, updateUserByHand } from '../directory/users-by-hand.ts';
import { type Decision, whoSignsIn } from '../directory/who-signs-in.ts';
import { type EventRow, recordStep } from '../events/record.ts';
import {
  type Access,
  accessByUser,
  accessChanges,
  accessSteps,
  decideAccess,
  NO_ACCESS,
} from '../reconcile/access.ts';
import { reconcileLocked } from '../reconcile/reconcile.ts';
import { noteSignIn } from '../reconcile/sign-in.ts';
import { keepUnmappedAtSignIn } from '../reconcile/unmapped.ts';
import { difference } from '../scim/difference.ts';
import { foldText } from '../scim/fold.ts';
import { withProfile } from '../scim/profile.ts';
import { type Acceptance, acceptInvitation } from '../tenants/invitations.ts';
import type { TenantRules } from '../tenants/sign-in-rules.ts';
import { acceptanceTold, type Doors, waysIn } from './other-ways.ts';
import {
  decidedOn,
  doorsIn,
  foundOf,
  knownGroups,
  type Occasion,
  profileSaid,
  requireRules,
  signInRules,
  syncs,
  traceOf,
  writesProfile,
} from './sign-in-read.ts';
import {
  keptVerdict,
  personRefused,
  type SignInAnswer,
  type Verdict,
  verdictAgain,
  warningsOf,
} from './sign-in-verdict.ts';

/** A sign-in that writes more than that somebody was here: one transaction, decided behind its locks. */

/** Somebody else has overtaken the sign-in: what it was decided on does not hold. */
export class Moved extends Error {}

const SAVEPOINT: Step = { statement: { text: 'savepoint sign_in' }, values: [] };
const BACK: Step = { statement: { text: 'rollback to savepoint sign_in' }, values: [] };

/**
 * Decides and writes. The assertion is used up with whatever comes of it.
 * @param ids whom the sign-in may mean: they are locked. @throws Moved
 */
export async function carryOut(send: Send, occasion: Occasion, ids: readonly string[]): Promise<Verdict> {
  const { tenantId, facts, dryRun } = occasion;
  const [, , , rulesRows, mapped, waysRows, people, obstacles, [consumed]] = await send([
    lockTenantShared(tenantId),
    lockUsers(tenantId, ids),
    lockInvitation(tenantId, foldText(facts.email ?? '')),
    ...decidedOn(occasion),
  ]);
  if (consumed !== undefined && !dryRun) return verdictAgain(consumed, people);
  const rules = requireRules(occasion, rulesRows, mapped);
  if (people.some(({ id }) => !ids.includes(id))) throw new Moved();
  const doors = doorsIn(occasion, waysRows);
  const by = signInRules(occasion, rules, doors);
  const { steps, ...decision } = whoSignsIn(facts, foundOf(people, obstacles), by);
  const unused = { check: 'not_replayed', passed: consumed === undefined };
  const trace = dryRun ? { trace: traceOf(occasion, [unused, ...steps]) } : {};
  if (decision.kind === 'refuse') return refuse(send, occasion, decision, trace);
  return admit(send, occasion, { rules, doors, decision, trace });
}

interface Admission {
  readonly rules: TenantRules;
  readonly doors: Doors;
  readonly decision: Exclude<Decision, { kind: 'refuse' }>;
  readonly trace: Pick<SignInAnswer, 'trace'>;
}

/** Lets the person in, or finds that nothing is there for them. */
async function admit(send: Send, occasion: Occasion, admission: Admission): Promise<Verdict> {
  const { rules, doors, decision, trace } = admission;
  const { facts } = occasion;
  const userId = decision.kind === 'create' ? uuid() : decision.person.id;
  const before = await userNow(send, occasion, userId);
  await send([SAVEPOINT]);
  const events = await writePerson(send, occasion, admission, userId);
  await syncPerson(send, occasion, admission, userId);
  const after = await userNow(send, occasion, userId);
  if (after.profile === undefined) throw new Error('the user who signed in is gone behind its lock');
  const access = decideAccess(after.access, { ...rules.settings, active: after.profile.active });
  if (access.signIn === 'deny') {
    const created = decision.kind === 'create';
    // Who has nothing to come in for is not created; of who is known already it stays what the sign-in said.
    if (created) await send([BACK]);
    const person = created ? {} : { person: decision.person };
    return refuse(send, occasion, { reason: 'unmapped', ...person }, trace, created ? [] : events);
  }
  const changes = accessChanges(before.access, after.access);
  const outcome = outcomeOf(decision, before, after);
  const answer: SignInAnswer = {
    outcome,
    user: after.profile,
    access,
    identityProviderGroups: facts.groups,
    changes,
    warnings: warningsOf(facts, doors, { isNew: decision.kind === 'create' }),
    ...trace,
  };
  const accepted = {
    type: 'sign_in.accepted',
    resourceType: 'User',
    resourceId: userId,
    after: acceptedAfter(occasion, outcome),
  };
  await end(send, occasion, { answer }, [...events, accepted]);
  return { answer };
}

interface UserNow {
  readonly profile: Profile | undefined;
  readonly access: Access;
}

async function userNow(send: Send, { tenantId }: Occasion, userId: string): Promise<UserNow> {
  const [[row], held, via] = await send([
    readProfiles(tenantId, [userId]),
    ...accessSteps(tenantId, [userId]),
  ]);
  const access = accessByUser(held, via).get(userId) ?? NO_ACCESS;
  return { profile: row && profileOf(row), access };
}

function outcomeOf(
  decision: Admission['decision'],
  before: UserNow,
  after: UserNow,
): SignInAnswer['outcome'] {
  if (decision.kind === 'create') return 'created';
  if (!decision.linked) return 'linked';
  return JSON.stringify(before) === JSON.stringify(after) ? 'unchanged' : 'updated';
}

/** The user, the link, and what the identity provider says of them; answers what is to be told. */
async function writePerson(
  send: Send,
  occasion: Occasion,
  { rules, decision }: Admission,
  userId: string,
): Promise<EventRow[]> {
  const { tenantId, provider, subject, facts, now } = occasion;
  const events: EventRow[] = [];
  const ofUser = { resourceType: 'User', resourceId: userId };
  if (decision.kind === 'create') {
    const { types } = rules;
    const { email } = facts;
    const said = { ...profileSaid(facts), ...(email !== null && { email }) };
    const resource = withProfile({}, { userName: decision.userName, active: true, ...said }, types.User);
    const columns = userColumns({ tenantId, types }, resource);
    await send([insertUserAtSignIn(tenantId, { ...columns, id: userId, at: now.at })]);
    events.push({ type: 'user.created', ...ofUser, after: resource });
  } else if (writesProfile(occasion, decision.person)) {
    events.push(...(await writeProfile(send, occasion, rules, userId)));
  }
  if (decision.kind === 'create' || !decision.linked) {
    const proof = decision.kind === 'create' ? 'created' : 'matched';
    await send([
      linkIdentity(subject, { userId, proof }, now.at),
      settleConflicts(subject, now, occasion.told),
    ]);
    const after = { identityProvider: provider.name, subject: facts.subject };
    events.push({ type: 'identity.linked', ...ofUser, after });
  }
  await send([noteClaims(subject, now.at)]);
  return events;
}

/** Never the e-mail address, never the userName: these say who somebody is. */
async function writeProfile(
  send: Send,
  { tenantId, facts, now }: Occasion,
  { types }: TenantRules,
  userId: string,
): Promise<EventRow[]> {
  const [[user]] = await send([bodyOfUser(tenantId, userId)]);
  if (user === undefined) throw new Moved();
  const before = userResource(user);
  const after = withProfile(before, profileSaid(facts), types.User);
  const differs = difference(before, after, types.User);
  if (differs === undefined) return [];
  const columns = userColumns({ tenantId, types }, after);
  await send([updateUserByHand(tenantId, { ...columns, id: userId, at: now.at })]);
  return [{ type: 'user.updated', resourceType: 'User', resourceId: userId, ...differs }];
}

/** Gives and takes what follows from the claims, and gives what the person has by the other ways. */
async function syncPerson(
  send: Send,
  occasion: Occasion,
  { rules, doors, decision }: Admission,
  userId: string,
): Promise<void> {
  const { tenantId, now, told } = occasion;
  const isNew = decision.kind === 'create';
  const isManaged = !isNew && decision.person.managed;
  const arrival = { userId, isNew, isManaged };
  const { edits, invitationId } = waysIn(doors.ways, arrival, rules.settings.provisioning);
  if (invitationId !== null) await send(acceptance(occasion, { invitationId, userId }));
  const synced = syncs(occasion, { managed: isManaged });
  if (!synced && edits.length === 0) return;
  await send([
    noteUsers([userId]),
    ...(synced ? claimsNoted(occasion, userId) : []),
    lockOwners(tenantId),
    reconcileLocked(tenantId, now, told, { users: 1, edits }),
  ]);
}

function claimsNoted({ tenantId, provider, facts, now, told }: Occasion, userId: string): Step[] {
  const claims = {
    userId,
    identityProvider: provider.name,
    mode: provider.jit === 'standard' ? 'standard' : 'enhanced',
    groups: knownGroups(facts),
  } as const;
  return [noteSignIn(tenantId, claims, now.at), keepUnmappedAtSignIn(tenantId, now, told, claims)];
}

function acceptance({ tenantId, actor, now, told }: Occasion, accepted: Acceptance): Step[] {
  const occasion = { tenantId, actor, at: now.at, changeId: told.changeId };
  return [acceptInvitation(tenantId, accepted, now.at), acceptanceTold(occasion, accepted)];
}

/** Refuses the person: the assertion is used up, and the feed and, where there is one, the conflict say why. */
async function refuse(
  send: Send,
  occasion: Occasion,
  { reason, person, conflict, deletedUser }: Omit<Extract<Decision, { kind: 'refuse' }>, 'kind'>,
  trace: object,
  events: readonly EventRow[] = [],
): Promise<Verdict> {
  const { provider, subject, now, told, facts } = occasion;
  const why = {
    ...(conflict !== undefined && { conflict }),
    ...(deletedUser !== undefined && { deletedUser }),
  };
  const refusal = personRefused(reason, { ...why, ...trace });
  if (person !== undefined && conflict !== undefined) {
    const met = { identityProvider: provider.name, userId: person.id, reason: conflict, ...told };
    await send([noteConflict(subject, now, met)]);
  }
  const after = {
    identityProvider: provider.name,
    subject: facts.subject,
    reason,
    ...why,
    groups: facts.groups.state,
  };
  const refused =
    person === undefined
      ? { type: 'sign_in.refused', resourceType: 'IdentityProvider', resourceId: provider.id, after }
      : { type: 'sign_in.refused', resourceType: 'User', resourceId: person.id, after };
  await end(send, occasion, { refusal }, [...events, refused]);
  return { refusal };
}

/** Uses the assertion up, and tells what happened. */
async function end(
  send: Send,
  { consumption, now, actor, told, tenantId, dryRun }: Occasion,
  verdict: Verdict,
  events: readonly EventRow[],
): Promise<void> {
  const occasion = { tenantId, actor, at: now.at, changeId: told.changeId };
  const [[consumed]] = await send([
    consume(consumption, keptVerdict(verdict), now.at),
    recordStep(occasion, events),
  ]);
  if (consumed === undefined && !dryRun) throw new Moved();
}

/** What the event of a sign-in that went well says. */
export function acceptedAfter({ provider, facts }: Occasion, outcome: SignInAnswer['outcome']): object {
  return { identityProvider: provider.name, subject: facts.subject, outcome, groups: facts.groups.state };
}
