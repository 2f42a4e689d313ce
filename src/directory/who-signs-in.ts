import type { Check, Facts } from '../assertions/types.ts';
import type { TenantSettings } from '../context.ts';
import { isEmailAddress } from '../scim/email.ts';
import { foldText } from '../scim/fold.ts';

/**
 * Who signs in: decided by what was read, without SQL. Identity is (identity provider, subject); everything else only
 * leads to the first link, and each way to it is narrower than the one before.
 */

/** A user whom a sign-in may mean, and by what they were found. */
export interface Person {
  readonly how: 'link' | 'externalId' | 'userName' | 'email';
  readonly id: string;
  readonly version: number;
  readonly active: boolean;
  /** Whether a directory manages the user. */
  readonly managed: boolean;
  readonly userNameFolded: string;
  /** Of the link that the user has to this identity provider; null: there is none. */
  readonly subject: string | null;
  readonly owner: boolean;
}

/** What was read about a sign-in. */
export interface Found {
  /** A user once for each way in which they were found. */
  readonly people: readonly Person[];
  /** Whether a deleted user had the subject or one of the names. */
  readonly deprovisioned: boolean;
  /** Whether an admin has rejected this subject. */
  readonly rejected: boolean;
}

/** By what it is decided. */
export interface SignInRules
  extends Pick<TenantSettings, 'provisioning' | 'linkByEmail' | 'userNameMustBeEmail'> {
  readonly jit: 'off' | 'standard' | 'enhanced';
  readonly matchManaged: readonly ('externalId' | 'userName')[];
  /** Whether the tenant has proved that the domain of the e-mail address is its own. */
  readonly domainVerified: boolean;
  /** Whether the person may come in although the provider creates nobody: an invitation, or their e-mail domain. */
  readonly invited: boolean;
}

/** Why somebody could not be linked; told to admins. */
export type ConflictReason =
  | 'ambiguous'
  | 'linked_to_another_subject'
  | 'managed_by_directory'
  | 'email_of_owner'
  | 'email_unverified'
  | 'user_name_taken';

/** Why a person is refused. */
export type RefusalReason =
  | 'deactivated'
  | 'deprovisioned'
  | 'rejected'
  | 'unknown_user'
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

function byLink({ found }: Asked): Decision | undefined {
  const person = found.people.find(({ how }) => how === 'link');
  return person && enter(person, true);
}

/** A person whom SCIM provisioned signs in at once: by `externalId`, then by `userName`. */
function byManaged({ facts, found, rules }: Asked): Decision | undefined {
  const names = new Set(
    [...facts.userNames, ...(facts.emailVerified ? [facts.email ?? ''] : [])].map(foldText),
  );
  for (const key of rules.matchManaged) {
    const matches = found.people.filter(
      ({ how, managed, userNameFolded }) =>
        managed && how === key && (key === 'externalId' || names.has(userNameFolded)),
    );
    const decision = onlyOf(matches);
    if (decision !== undefined) return decision;
  }
  return undefined;
}

function notDeprovisioned({ found }: Asked): Decision | undefined {
  return found.deprovisioned ? { kind: 'refuse', reason: 'deprovisioned' } : undefined;
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
  const folded = foldText(newUserName(facts));
  const person = found.people.find(({ userNameFolded }) => userNameFolded === folded);
  if (person === undefined) return undefined;
  if (person.subject !== null) return conflict(person, 'linked_to_another_subject');
  const unverified = rules.linkByEmail !== 'never' && facts.email !== null && !facts.emailVerified;
  return conflict(person, unverified ? 'email_unverified' : 'user_name_taken');
}

function mayCreate({ facts, rules }: Asked): Decision {
  const creates = rules.jit !== 'off' && rules.provisioning !== 'scim';
  if (!creates && !rules.invited) return { kind: 'refuse', reason: 'unknown_user' };
  const userName = newUserName(facts);
  if (rules.userNameMustBeEmail && !isEmailAddress(userName)) {
    return { kind: 'refuse', reason: 'attribute_missing' };
  }
  return { kind: 'create', userName };
}

/** What a user is called whom a sign-in creates. */
export function newUserName({ email, userNames, subject }: Facts): string {
  return email ?? userNames[0] ?? subject;
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
