import type { Facts } from '../../src/assertions/types.ts';
import { type Found, type Person, type SignInRules, whoSignsIn } from '../../src/directory/who-signs-in.ts';

/** What tests of who signs in are made of: what is read for the decision is made up here. */

export const FACTS: Facts = {
  subject: '00u1',
  externalId: '00u1',
  userName: 'Ada@acme.test',
  userNames: ['00u1', 'ada'],
  vouchedNames: ['00u1', 'ada', 'Ada@acme.test'],
  email: 'Ada@acme.test',
  emailVerified: true,
  givenName: null,
  familyName: null,
  displayName: null,
  avatar: null,
  groups: { state: 'absent', groups: [] },
};

/** By which everything is allowed that can be. */
const RULES: SignInRules = {
  jit: 'enhanced',
  provisioning: 'combined',
  linkByEmail: 'verified_domains',
  userNameMustBeEmail: false,
  matchManaged: ['externalId', 'userName'],
  matchDirectory: null,
  anybody: false,
  domainVerified: true,
  invited: false,
  domainOpens: false,
  unverifiedWaits: false,
};

export const person = (id: string, how: Person['how'], rest: Partial<Person> = {}): Person => ({
  id,
  how,
  version: 1,
  active: true,
  managed: false,
  userNameFolded: `${id}-elsewhere`,
  externalId: null,
  directory: null,
  proof: null,
  subject: null,
  owner: false,
  ...rest,
});
export const linked = (rest: Partial<Person> = {}) =>
  person('ada', 'link', { subject: '00u1', proof: 'matched', ...rest });
export const byExternalId = (id: string, rest: Partial<Person> = {}) =>
  person(id, 'externalId', { managed: true, directory: 'default', externalId: '00u1', ...rest });
export const byUserName = (id: string, rest: Partial<Person> = {}) =>
  person(id, 'userName', { managed: true, directory: 'default', userNameFolded: 'ada', ...rest });
export const byEmail = (id: string, rest: Partial<Person> = {}) => person(id, 'email', rest);
/** Of whom the userName is the address. */
export const byAddress = (id: string, rest: Partial<Person> = {}) =>
  person(id, 'userName', { userNameFolded: 'ada@acme.test', ...rest });

export const OTHER = { subject: '00u2' };
export const OFF = { active: false };
export const NO_EMAIL = {
  email: null,
  emailVerified: false,
  userName: '00u1',
  vouchedNames: ['00u1', 'ada'],
};
export const UNVERIFIED = { emailVerified: false, vouchedNames: ['00u1', 'ada'] };
export const NEVER = { linkByEmail: 'never' } as const;

export interface Case {
  readonly people?: readonly Person[];
  readonly facts?: Partial<Facts>;
  readonly rules?: Partial<SignInRules>;
  readonly obstacles?: Partial<Omit<Found, 'people'>>;
}

export const decide = ({ people = [], facts, rules, obstacles }: Case) =>
  whoSignsIn(
    { ...FACTS, ...facts },
    { people, deletedIdentity: null, deletedName: null, rejected: false, ...obstacles },
    { ...RULES, ...rules },
  );

export const REJECTED = { rejected: true };
export const DELETED = { deletedIdentity: 'ghost' };
export const DELETED_NAME = { deletedName: 'ghost' };
export const INVITED = { rules: { invited: true } };
export const IN_HR = { rules: { matchDirectory: 'hr' } };
