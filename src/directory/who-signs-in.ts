import type { Check, Facts } from '../assertions/types.ts';
import type { TenantSettings } from '../context.ts';
import { isEmailAddress } from '../scim/email.ts';
import { foldText } from '../scim/fold.ts';

/**
 * Who signs in: decided by what was read, without SQL. Identity is (identity provider, subject); everything else only
 * leads to the first link, and each way to it is narrower than the one before.
 */

/**
 * How a link came about: the sign-in created the user, found them, or an admin has linked them. Whoever is created by a
 * sign-in has the name that the sign-in told.
 */
export type Proof = 'created' | 'matched' | 'admin';

/** A user whom a sign-in may mean, and by what they were found. */
export interface Person {
  readonly how: 'link' | 'externalId' | 'userName' | 'email';
  readonly id: string;
  readonly version: number;
  readonly active: boolean;
  /** Whether a directory manages the user. */
  readonly managed: boolean;
  readonly userNameFolded: string;
  readonly externalId: string | null;
  /** The name of the directory that manages the user; null: none does. */
  readonly directory: string | null;
  /** Where they were found by their link: how it came about. */
  readonly proof: Proof | null;
  /** Of the link that the user has to this identity provider; null: there is none. */
  readonly subject: string | null;
  readonly owner: boolean;
}

/** What was read about a sign-in. */
export interface Found {
  /** A user once for each way in which they were found. */
  readonly people: readonly Person[];
  /** The id of a deleted user who had the subject, or had it as `externalId`; null: nobody had. */
  readonly deletedIdentity: string | null;
  /** The id of a deleted user who had one of the names; null: nobody had. */
  readonly deletedName: string | null;
  /** Whether an admin has rejected this subject. */
  readonly rejected: boolean;
}

/** By what it is decided. */
export interface SignInRules
  extends Pick<TenantSettings, 'provisioning' | 'linkByEmail' | 'userNameMustBeEmail'> {
  readonly jit: 'off' | 'standard' | 'enhanced';
  readonly matchManaged: readonly ('externalId' | 'userName')[];
  /** The name of the only directory whose users it matches; null: any. */
  readonly matchDirectory: string | null;
  /** Whether the provider signs in people of any organisation: then the domain says whose they are. */
  readonly anybody: boolean;
  /** Whether the tenant has proved that the domain of the verified e-mail address is its own, and it is no other provider's. */
  readonly domainVerified: boolean;
  /** Whether an admin has invited the verified e-mail address. */
  readonly invited: boolean;
  /** Whether the domain of the verified e-mail address lets people in although the provider creates nobody. */
  readonly domainOpens: boolean;
  /** Whether one of these two only waits for the address to be verified. */
  readonly unverifiedWaits: boolean;
}

/** Why somebody could not be linked; told to admins. */
export type ConflictReason =
  | 'ambiguous'
  | 'linked_to_another_subject'
  | 'managed_by_directory'
  | 'adopted_by_directory'
  | 'email_of_owner'
  | 'email_unverified'
  | 'user_name_taken';

/** Why a person is refused. */
export type RefusalReason =
  | 'deactivated'
  | 'deprovisioned'
  | 'rejected'
  | 'unknown_user'
  | 'email_unverified'
  | 'foreign_domain'
  | 'link_conflict'
  | 'attribute_missing'
  | 'unmapped';

export type Decision =
  | { readonly kind: 'enter'; readonly person: Person; readonly linked: boolean }
  | { readonly kind: 'create'; readonly userName: string }
  | {
      readonly kind: 'refuse';
      readonly reason: RefusalReason;
      readonly person?: Person;
      /** Of whom a tombstone tells. */
      readonly deletedUser?: string;
      readonly conflict?: ConflictReason;
    };

/** What was asked, and the answer; undefined: it says nothing, and the next question decides. */
type Rule = (asked: Asked) => Decision | undefined;

interface Asked {
  readonly facts: Facts;
  readonly found: Found;
  readonly rules: SignInRules;
}

/** In the order in which they decide. */
const RULES: readonly (readonly [check: string, rule: Rule])[] = [
  ['identity_link', byLink],
  ['not_rejected', ({ found }) => (found.rejected ? { kind: 'refuse', reason: 'rejected' } : undefined)],
  ['managed_user', byManaged],
  ['not_deprovisioned', notDeprovisioned],
  ['email_link', byEmail],
  ['user_name_free', nameFree],
  ['not_deactivated', notDeactivated],
  ['may_create', mayCreate],
];

/** Decides who it is and whether they may come in so far, with the steps that led there. */
export function whoSignsIn(facts: Facts, found: Found, rules: SignInRules): Decision & { steps: Check[] } {
  const steps: Check[] = [];
  for (const [check, rule] of RULES) {
    const decision = rule({ facts, found, rules });
    steps.push({ check, passed: decision?.kind !== 'refuse', detail: told(decision) });
    if (decision !== undefined) return { ...decision, steps };
  }
  throw new Error('the last rule decides');
}

function told(decision: Decision | undefined): string {
  switch (decision?.kind) {
    case undefined:
      return 'does not decide';
    case 'enter':
      return `user ${decision.person.id}, found by ${decision.person.how}`;
    case 'create':
      return 'nobody yet: to be created';
    case 'refuse':
      return decision.conflict ?? decision.reason;
  }
}

/**
 * Who was created by a sign-in chose the name by which a directory may have found and adopted them: for a managed user the
 * directory must mean the same person.
 */
function byLink(asked: Asked): Decision | undefined {
  const person = asked.found.people.find(({ how }) => how === 'link');
  if (person === undefined) return undefined;
  const isProved =
    !person.managed || person.proof !== 'created' || asked.rules.matchManaged.some(means(asked, person));
  return isProved ? enter(person, true) : conflict(person, 'adopted_by_directory');
}

/** A person whom SCIM provisioned signs in at once: by `externalId`, then by `userName`. */
function byManaged(asked: Asked): Decision | undefined {
  for (const key of asked.rules.matchManaged) {
    const matches = asked.found.people.filter((person) => person.how === key && means(asked, person)(key));
    const decision = onlyOf(matches);
    if (decision !== undefined) return decision;
  }
  return undefined;
}

/** Whether the directory's user is the person who signs in, by this key. */
function means({ facts, rules }: Asked, { managed, directory, externalId, userNameFolded }: Person) {
  const counts = managed && (rules.matchDirectory === null || rules.matchDirectory === directory);
  return (key: SignInRules['matchManaged'][number]): boolean => {
    if (key === 'externalId') return counts && externalId === facts.externalId;
    return counts && facts.vouchedNames.some((name) => foldText(name) === userNameFolded);
  };
}

/**
 * Who was deleted does not come back, unless an admin invites them. A name that somebody else has by now speaks of them,
 * and not of who had it before.
 */
function notDeprovisioned({ found, rules }: Asked): Decision | undefined {
  const isHeld = found.people.some(({ how }) => how === 'userName' || how === 'email');
  const deletedUser = found.deletedIdentity ?? (isHeld ? null : found.deletedName);
  if (deletedUser === null || rules.invited) return undefined;
  return { kind: 'refuse', reason: 'deprovisioned', deletedUser };
}

/** Only where the tenant wants it, owns the domain, and the provider has verified the address. */
function byEmail({ facts, found, rules }: Asked): Decision | undefined {
  const { email, emailVerified } = facts;
  if (rules.linkByEmail === 'never' || email === null || !emailVerified || !rules.domainVerified) {
    return undefined;
  }
  const folded = foldText(email);
  const matches = found.people.filter(
    ({ how, userNameFolded }) => how === 'email' || userNameFolded === folded,
  );
  return onlyOf(matches, ({ managed, owner }) => {
    if (managed) return 'managed_by_directory';
    return owner ? 'email_of_owner' : undefined;
  });
}

/** A name that somebody has who could not be linked leads to nobody: neither to them, nor to a second user. */
function nameFree({ facts, found, rules }: Asked): Decision | undefined {
  const names = [facts.userName, facts.email ?? ''].map(foldText);
  const person = found.people.find(({ userNameFolded }) => names.includes(userNameFolded));
  if (person === undefined) return undefined;
  if (person.subject !== null) return conflict(person, 'linked_to_another_subject');
  const unverified = rules.linkByEmail !== 'never' && facts.email !== null && !facts.emailVerified;
  return conflict(person, unverified ? 'email_unverified' : 'user_name_taken');
}

/** Who is deactivated does not come back as a second user of the same address, unless an admin invites them. */
function notDeactivated({ found, rules }: Asked): Decision | undefined {
  const person = found.people.find(({ how, active }) => how === 'email' && !active);
  return person && !rules.invited ? { kind: 'refuse', reason: 'deactivated', person } : undefined;
}

function mayCreate({ facts: { userName }, rules }: Asked): Decision {
  const { jit, provisioning, invited, domainOpens } = rules;
  const creates = jit !== 'off' && provisioning !== 'scim';
  if (!creates && !invited && !domainOpens) {
    return { kind: 'refuse', reason: rules.unverifiedWaits ? 'email_unverified' : 'unknown_user' };
  }
  if (rules.anybody && !invited && !rules.domainVerified) return { kind: 'refuse', reason: 'foreign_domain' };
  if (rules.userNameMustBeEmail && !isEmailAddress(userName)) {
    return { kind: 'refuse', reason: 'attribute_missing' };
  }
  return { kind: 'create', userName };
}

/** The one person that was found; several, or one who has another subject here or whom `forbids` names, are a conflict. */
function onlyOf(
  matches: readonly Person[],
  forbids: (person: Person) => ConflictReason | undefined = () => undefined,
): Decision | undefined {
  const [person] = matches;
  if (person === undefined) return undefined;
  if (matches.some(({ id }) => id !== person.id)) return conflict(person, 'ambiguous');
  if (person.subject !== null) return conflict(person, 'linked_to_another_subject');
  const forbidden = forbids(person);
  return forbidden === undefined ? enter(person, false) : conflict(person, forbidden);
}

/** A sign-in never revives anybody. */
function enter(person: Person, linked: boolean): Decision {
  return person.active
    ? { kind: 'enter', person, linked }
    : { kind: 'refuse', reason: 'deactivated', person };
}

function conflict(person: Person, reason: ConflictReason): Decision {
  return { kind: 'refuse', reason: 'link_conflict', person, conflict: reason };
}
