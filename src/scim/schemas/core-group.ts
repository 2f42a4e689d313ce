import type { Attribute, Schema } from '../types.ts';
import { attribute, identifiers, meta, readOnly } from './attribute.ts';

/** Rows of their own, not values of the resource: `scim/members.ts`. */
export const members: Attribute = attribute({
  name: 'members',
  type: 'complex',
  multiValued: true,
  description: 'The members of the group.',
  subAttributes: [
    attribute({
      name: 'value',
      description: 'The id of the user.',
      caseExact: true,
      mutability: 'immutable',
    }),
    attribute({
      name: '$ref',
      type: 'reference',
      description: 'The URI of the user.',
      mutability: 'immutable',
      referenceTypes: ['User'],
    }),
    attribute({
      name: 'type',
      description: 'The resource type of the member.',
      mutability: 'immutable',
      canonicalValues: ['User'],
    }),
    // Clients send it along (RFC 7644 section 3.5.2.1, Okta); a name is kept with the user alone.
    readOnly({ name: 'display', description: 'The name of the user.' }),
  ],
});

/**
 * RFC 7643 sections 4.2 and 8.7.1, with the common attributes of section 3.1. `displayName` is required
 * (erratum 5368). Members are users only: nested groups are refused.
 */
export const coreGroupSchema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  name: 'Group',
  description: 'Group',
  attributes: [
    ...identifiers,
    attribute({ name: 'displayName', description: 'The name of the group.', required: true }),
    members,
    meta,
  ],
} as const satisfies Schema;
