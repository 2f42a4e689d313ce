import type { Attribute, Schema } from '../types.ts';
import { identifiers, meta, readOnly } from './attribute.ts';

/** The common attributes but `externalId`: what a client cannot create has none. */
const common: readonly Attribute[] = identifiers.filter(({ name }) => name !== 'externalId');

const displayName = readOnly({ name: 'displayName', description: 'The name for people.' });
const description = readOnly({ name: 'description', description: 'What it gives.' });

/**
 * The roles that users can have, by the schema under which Okta discovers them (Okta, "Build a SCIM 2.0
 * server with entitlements"). Read-only: they are the product's.
 */
export const oktaRoleSchema: Schema = {
  id: 'urn:okta:scim:schemas:core:1.0:Role',
  name: 'Role',
  description: 'A role that users can have',
  // Case exact, as the names of roles are; nothing folds them.
  attributes: [...common, { ...displayName, caseExact: true }, description, meta],
};

/** The tenant's teams, as Okta discovers them. */
export const oktaEntitlementSchema: Schema = {
  id: 'urn:okta:scim:schemas:core:1.0:Entitlement',
  name: 'Entitlement',
  description: 'A team that users can be in',
  attributes: [
    ...common,
    displayName,
    readOnly({
      name: 'type',
      description: 'The name of the resource type, as Okta wants it.',
      canonicalValues: ['Entitlement'],
    }),
    description,
    meta,
  ],
};
