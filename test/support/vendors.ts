import type { Reading } from '../../src/assertions/facts.ts';
import type { Facts, ProviderKind } from '../../src/assertions/types.ts';

/** Each vendor's assertions and tokens in their documented form, and what its preset reads of them. */

const WS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims';
const MICROSOFT = 'http://schemas.microsoft.com/identity/claims';
const OID = '0d1c6a4e-3f6c-4f0a-9a55-5c2b7d1f0e11';
const TID = '9122040d-6c67-4c5b-b112-36a304b66dad';
const ADA = { email: 'ada@example.com', givenName: 'Ada', familyName: 'Lovelace' };
const OPENID = {
  email: ['ada@example.com'],
  email_verified: ['true'],
  given_name: ['Ada'],
  family_name: ['Lovelace'],
  name: ['Ada Lovelace'],
};

export interface VendorCase {
  readonly what: string;
  readonly preset: NonNullable<Reading['preset']>;
  readonly kind: ProviderKind;
  readonly subject?: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  readonly facts: Partial<Facts>;
}

export const VENDORS: readonly VendorCase[] = [
  {
    what: 'Okta, SAML with attribute and group statements',
    ...{ preset: 'okta', kind: 'saml', subject: 'ada@example.com' },
    attributes: {
      uniqueUserId: ['00u1a2b3c4'],
      firstName: ['Ada'],
      lastName: ['Lovelace'],
      email: ['ada@example.com'],
      groups: ['Analysts', 'Everyone'],
    },
    facts: {
      ...ADA,
      subject: '00u1a2b3c4',
      userNames: ['ada@example.com'],
      emailVerified: false,
      groups: { state: 'list', groups: ['Analysts', 'Everyone'] },
    },
  },
  {
    what: 'Okta, ID token',
    ...{ preset: 'okta', kind: 'oidc', subject: '00u1a2b3c4' },
    attributes: { ...OPENID, preferred_username: ['ada@example.com'], groups: ['Analysts'] },
    facts: {
      ...ADA,
      subject: '00u1a2b3c4',
      userNames: ['00u1a2b3c4', 'ada@example.com'],
      emailVerified: true,
      displayName: 'Ada Lovelace',
      groups: { state: 'list', groups: ['Analysts'] },
    },
  },
  {
    what: 'Entra ID, SAML with its default claims and group ids',
    ...{ preset: 'entra', kind: 'saml', subject: 'ada@corp.example' },
    attributes: {
      [`${MICROSOFT}/tenantid`]: [TID],
      [`${MICROSOFT}/objectidentifier`]: [OID],
      [`${MICROSOFT}/displayname`]: ['Ada Lovelace'],
      [`${WS}/givenname`]: ['Ada'],
      [`${WS}/surname`]: ['Lovelace'],
      [`${WS}/emailaddress`]: ['ada@example.com'],
      [`${WS}/name`]: ['ada@corp.example'],
      'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups': ['7d2f', '8e3a'],
    },
    facts: {
      ...ADA,
      subject: OID,
      userNames: ['ada@corp.example'],
      emailVerified: false,
      displayName: 'Ada Lovelace',
      groups: { state: 'list', groups: ['7d2f', '8e3a'] },
    },
  },
  {
    what: 'Entra ID, SAML with claims renamed to userUniqueId, firstName, lastName, email',
    ...{ preset: 'entra', kind: 'saml', subject: 'ada@corp.example' },
    attributes: {
      userUniqueId: [OID],
      firstName: ['Ada'],
      lastName: ['Lovelace'],
      email: ['ada@example.com'],
    },
    facts: { ...ADA, subject: OID, groups: { state: 'absent', groups: [] } },
  },
  {
    what: 'Entra ID, ID token with oid, tid and xms_edov',
    ...{ preset: 'entra', kind: 'oidc', subject: 'pairwise-sub' },
    attributes: {
      oid: [OID],
      tid: [TID],
      email: ['ada@example.com'],
      xms_edov: ['1'],
      name: ['Ada Lovelace'],
      preferred_username: ['ada@corp.example'],
      groups: ['7d2f'],
    },
    facts: {
      email: 'ada@example.com',
      emailVerified: true,
      subject: OID,
      userNames: ['pairwise-sub', 'ada@corp.example'],
      groups: { state: 'list', groups: ['7d2f'] },
    },
  },
  {
    what: 'PingOne, SAML',
    ...{ preset: 'pingone', kind: 'saml', subject: 'ada' },
    attributes: {
      userUniqueId: ['5f0e-ping'],
      firstName: ['Ada'],
      lastName: ['Lovelace'],
      email: ['ada@example.com'],
      'user.memberOfGroupsNames': ['Analysts'],
    },
    facts: { ...ADA, subject: '5f0e-ping', groups: { state: 'list', groups: ['Analysts'] } },
  },
  {
    what: 'OneLogin, SAML connector',
    ...{ preset: 'onelogin', kind: 'saml', subject: 'ada@example.com' },
    attributes: {
      'User.email': ['ada@example.com'],
      'User.FirstName': ['Ada'],
      'User.LastName': ['Lovelace'],
      memberOf: ['Analysts'],
    },
    facts: { ...ADA, subject: 'ada@example.com', groups: { state: 'list', groups: ['Analysts'] } },
  },
  {
    what: 'Google, SAML app',
    ...{ preset: 'google', kind: 'saml', subject: 'ada@example.com' },
    attributes: { firstName: ['Ada'], lastName: ['Lovelace'], email: ['ada@example.com'], groups: ['G-1'] },
    facts: { ...ADA, subject: 'ada@example.com', groups: { state: 'list', groups: ['G-1'] } },
  },
  {
    what: 'Google, ID token',
    ...{ preset: 'google', kind: 'oidc', subject: '110169484474386276334' },
    attributes: { ...OPENID, hd: ['example.com'], picture: ['https://lh3.example/photo.jpg'] },
    facts: {
      ...ADA,
      subject: '110169484474386276334',
      emailVerified: true,
      avatar: 'https://lh3.example/photo.jpg',
      groups: { state: 'absent', groups: [] },
    },
  },
  {
    what: 'Keycloak, SAML with its X.500 mappers and full group paths',
    ...{ preset: 'keycloak', kind: 'saml', subject: 'G-7c6d' },
    attributes: {
      'urn:oid:1.2.840.113549.1.9.1': ['ada@example.com'],
      'urn:oid:2.5.4.42': ['Ada'],
      'urn:oid:2.5.4.4': ['Lovelace'],
      Role: ['offline_access'],
      member: ['/Analysts', '/Analysts/Night shift'],
    },
    facts: {
      ...ADA,
      subject: 'G-7c6d',
      groups: { state: 'list', groups: ['/Analysts', '/Analysts/Night shift'] },
    },
  },
  {
    what: 'Keycloak, ID token',
    ...{ preset: 'keycloak', kind: 'oidc', subject: 'f2c1' },
    attributes: { ...OPENID, preferred_username: ['ada'], groups: ['/Analysts'] },
    facts: {
      ...ADA,
      subject: 'f2c1',
      userNames: ['f2c1', 'ada'],
      groups: { state: 'list', groups: ['/Analysts'] },
    },
  },
];
