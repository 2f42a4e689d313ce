import type { Attribute, Schema } from '../types.ts';
import { attribute, identifiers, label, meta, plural, primary, readOnly } from './attribute.ts';

/** Unlike a tenant's own writeOnly attributes it is not even stored (`scim/value.ts`). */
export const password: Attribute = attribute({
  name: 'password',
  description: 'Accepted and dropped: it is neither stored nor returned.',
  mutability: 'writeOnly',
  returned: 'never',
});

/** The only text of a user with a form of its own (`scim/value.ts`). */
export const country: Attribute = attribute({
  name: 'country',
  description: "The country, in ISO 3166-1 alpha-2: 'US'.",
});

/** RFC 7643 sections 4.1 and 8.7.1, with the common attributes of section 3.1. */
export const coreUserSchema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  name: 'User',
  description: 'User Account',
  attributes: [
    ...identifiers,
    attribute({
      name: 'userName',
      description: 'The name by which the user is known to the service provider, unique in any case.',
      required: true,
      uniqueness: 'server',
    }),
    attribute({
      name: 'name',
      type: 'complex',
      description: "The components of the user's name.",
      subAttributes: [
        attribute({ name: 'formatted', description: 'The full name, formatted for display.' }),
        attribute({ name: 'familyName', description: 'The family name, or last name.' }),
        attribute({ name: 'givenName', description: 'The given name, or first name.' }),
        attribute({ name: 'middleName', description: 'The middle names.' }),
        attribute({ name: 'honorificPrefix', description: "What precedes the name: 'Ms.'." }),
        attribute({ name: 'honorificSuffix', description: "What follows the name: 'III'." }),
      ],
    }),
    attribute({ name: 'displayName', description: 'The name of the user, suitable for display.' }),
    attribute({ name: 'nickName', description: 'The casual way to address the user.' }),
    attribute({
      name: 'profileUrl',
      type: 'reference',
      description: "The address of the user's online profile.",
      referenceTypes: ['external'],
    }),
    attribute({ name: 'title', description: "The user's title: 'Vice President'." }),
    attribute({
      name: 'userType',
      description: "The user's relationship to the organization: 'Contractor', 'Employee'.",
    }),
    attribute({
      name: 'preferredLanguage',
      description: "The user's preferred written or spoken language, as in Accept-Language.",
    }),
    attribute({
      name: 'locale',
      description: "The user's location for formats of currency, dates and numbers.",
    }),
    attribute({ name: 'timezone', description: "The user's time zone: 'America/Los_Angeles'." }),
    attribute({ name: 'active', type: 'boolean', description: 'Whether the user may use the service.' }),
    password,
    plural(
      { name: 'emails', description: 'E-mail addresses of the user.' },
      { description: 'An e-mail address.' },
      'work',
      'home',
      'other',
    ),
    plural(
      { name: 'phoneNumbers', description: 'Phone numbers of the user.' },
      { description: 'A phone number.' },
      'work',
      'home',
      'mobile',
      'fax',
      'pager',
      'other',
    ),
    plural(
      { name: 'ims', description: 'Instant messaging addresses of the user.' },
      { description: 'An instant messaging address.' },
      'aim',
      'gtalk',
      'icq',
      'xmpp',
      'msn',
      'skype',
      'qq',
      'yahoo',
    ),
    plural(
      { name: 'photos', description: 'Addresses of photos of the user.' },
      { type: 'reference', description: 'The address of an image file.', referenceTypes: ['external'] },
      'photo',
      'thumbnail',
    ),
    attribute({
      name: 'addresses',
      type: 'complex',
      multiValued: true,
      description: 'Physical mailing addresses of the user.',
      subAttributes: [
        attribute({ name: 'formatted', description: 'The full address, formatted for display or a label.' }),
        attribute({
          name: 'streetAddress',
          description: 'Street, house number and what else leads to the door.',
        }),
        attribute({ name: 'locality', description: 'The city or locality.' }),
        attribute({ name: 'region', description: 'The state or region.' }),
        attribute({ name: 'postalCode', description: 'The postal code.' }),
        country,
        label('work', 'home', 'other'),
        primary,
      ],
    }),
    readOnly({
      name: 'groups',
      type: 'complex',
      multiValued: true,
      description: 'The groups to which the user belongs; changed through the Group resource only.',
      subAttributes: [
        readOnly({ name: 'value', description: 'The id of the group.', caseExact: true }),
        readOnly({
          name: '$ref',
          type: 'reference',
          description: 'The URI of the group.',
          referenceTypes: ['Group'],
        }),
        readOnly({ name: 'display', description: 'The displayName of the group.' }),
        readOnly({
          name: 'type',
          description: 'How the user belongs to the group.',
          canonicalValues: ['direct', 'indirect'],
        }),
      ],
    }),
    plural(
      { name: 'entitlements', description: 'What the user is entitled to.' },
      { description: 'An entitlement.' },
    ),
    plural({ name: 'roles', description: 'The roles of the user.' }, { description: 'A role.' }),
    plural(
      { name: 'x509Certificates', description: 'Certificates issued to the user.' },
      { type: 'binary', description: 'One DER-encoded X.509 certificate in base64.' },
    ),
    meta,
  ],
} as const satisfies Schema;
