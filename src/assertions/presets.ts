/** Under which names identity providers send what is read of a person. */

/** The identity providers whose names are known by heart. */
export const PRESETS = ['okta', 'entra', 'pingone', 'onelogin', 'google', 'keycloak'] as const;
export type Preset = (typeof PRESETS)[number];

/** What an attribute mapping may name the attribute of. */
export const MAPPED_FACTS = ['subject', 'email', 'givenName', 'familyName', 'displayName', 'avatar'] as const;
export type MappedFact = (typeof MAPPED_FACTS)[number];

/** Of each fact the names, the first that the assertion has counts; matched exactly. */
export type AttributeNames = Readonly<Partial<Record<MappedFact | 'groups', readonly string[]>>>;

const WS_CLAIMS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims';
const MICROSOFT = 'http://schemas.microsoft.com/identity/claims';

/** Entra ID's name of the groups in SAML; what it leaves out is told by an overage mark. */
export const ENTRA_GROUPS = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups';

/** What some products ask identity providers to call the immutable id, in both orders of its words. */
export const SUBJECT_ALIASES = ['uniqueUserId', 'userUniqueId'] as const;

/** OpenID Connect Core section 5.1: what every one of them sends in ID tokens. */
const OPENID: AttributeNames = {
  email: ['email'],
  givenName: ['given_name'],
  familyName: ['family_name'],
  displayName: ['name'],
  avatar: ['picture'],
  groups: ['groups'],
};

/** What a vendor's documentation calls them in SAML, before the claims of OpenID Connect. */
function vendor(names: AttributeNames): AttributeNames {
  const facts = [...MAPPED_FACTS, 'groups'] as const;
  return Object.fromEntries(facts.map((fact) => [fact, [...(names[fact] ?? []), ...(OPENID[fact] ?? [])]]));
}

export const PRESET_NAMES: Readonly<Record<Preset, AttributeNames>> = {
  // Okta, "Define attribute statements" and "Define group attribute statements" of a SAML integration.
  okta: vendor({
    subject: SUBJECT_ALIASES,
    givenName: ['firstName'],
    familyName: ['lastName'],
    displayName: ['displayName'],
  }),
  // Microsoft Learn, "SAML token claims reference" and "ID token claims reference". An e-mail address or the name may be
  // given to somebody else; the object id is not.
  entra: vendor({
    subject: [`${MICROSOFT}/objectidentifier`, 'oid', ...SUBJECT_ALIASES],
    email: [`${WS_CLAIMS}/emailaddress`],
    givenName: [`${WS_CLAIMS}/givenname`, 'firstName'],
    familyName: [`${WS_CLAIMS}/surname`, 'lastName'],
    displayName: [`${MICROSOFT}/displayname`],
    groups: [ENTRA_GROUPS],
  }),
  // PingOne, "Mapping attributes" and "Including external groups in an application".
  pingone: vendor({
    subject: SUBJECT_ALIASES,
    givenName: ['firstName'],
    familyName: ['lastName'],
    groups: ['memberOfGroupNames', 'user.memberOfGroupsNames'],
  }),
  // OneLogin, the parameters of its SAML connectors ("SAML Custom Connector", "SAML Test Connector").
  onelogin: vendor({
    subject: SUBJECT_ALIASES,
    email: ['User.email'],
    givenName: ['User.FirstName', 'firstName'],
    familyName: ['User.LastName', 'lastName'],
    groups: ['memberOf'],
  }),
  // Google Workspace, "Set up your own custom SAML app" and "About group membership mapping"; "OpenID Connect".
  google: vendor({
    subject: SUBJECT_ALIASES,
    givenName: ['firstName'],
    familyName: ['lastName'],
  }),
  // Keycloak, the built-in SAML mappers "X500 email", "X500 givenName", "X500 surname", and "Group list".
  keycloak: vendor({
    subject: SUBJECT_ALIASES,
    email: ['urn:oid:1.2.840.113549.1.9.1'],
    givenName: ['urn:oid:2.5.4.42', 'firstName'],
    familyName: ['urn:oid:2.5.4.4', 'lastName'],
    groups: ['member'],
  }),
};

/** URIs that are read whatever the identity provider is (WS-Federation claims; X.500 attributes of RFC 4519, RFC 2798). */
export const COMMON_URIS: AttributeNames = {
  email: [`${WS_CLAIMS}/emailaddress`, 'urn:oid:0.9.2342.19200300.100.1.3', 'urn:oid:1.2.840.113549.1.9.1'],
  givenName: [`${WS_CLAIMS}/givenname`, 'urn:oid:2.5.4.42'],
  familyName: [`${WS_CLAIMS}/surname`, 'urn:oid:2.5.4.4'],
  displayName: [`${MICROSOFT}/displayname`, 'urn:oid:2.16.840.1.113730.3.1.241'],
  groups: [ENTRA_GROUPS, 'http://schemas.xmlsoap.org/claims/Group', 'urn:oid:1.3.6.1.4.1.5923.1.5.1.1'],
};

/** And words, each standing for all its spellings: `givenname` for `givenName`, `given_name`, `Given Name`. */
export const COMMON_WORDS: AttributeNames = {
  subject: SUBJECT_ALIASES.map((name) => name.toLowerCase()),
  email: ['email', 'mail', 'emailaddress', 'useremail'],
  givenName: ['givenname', 'firstname', 'userfirstname'],
  familyName: ['familyname', 'surname', 'lastname', 'sn', 'userlastname'],
  displayName: ['displayname', 'name', 'fullname'],
  avatar: ['avatar', 'picture', 'photo', 'avatarurl'],
  groups: ['groups', 'group', 'memberof'],
};

/** By which a directory may have named the person, beside the subject: the claims of UPNs and of user names. */
export const USER_NAMES = ['preferred_username', 'upn', `${WS_CLAIMS}/upn`];

/**
 * Presets of identity providers whose claims of names are given by an admin. What others put into `preferred_username`
 * people may choose (OpenID Connect Core section 5.7 calls it no identifier): it must find nobody.
 */
export const VOUCHING_PRESETS: readonly (Preset | null)[] = ['okta', 'entra', 'pingone', 'onelogin'];

/** In SAML the UPN too, of Entra ID. Elsewhere it may be a name that people choose, and must find nobody. */
export const ENTRA_USER_NAME = `${WS_CLAIMS}/name`;
