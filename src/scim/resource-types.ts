import { oncePer } from './once-per.ts';
import { coreGroupSchema } from './schemas/core-group.ts';
import { coreUserSchema } from './schemas/core-user.ts';
import { enterpriseUserSchema } from './schemas/enterprise-user.ts';
import { oktaEntitlementSchema, oktaRoleSchema } from './schemas/okta.ts';
import type { Extension, ResourceType, ResourceTypes } from './types.ts';

export const CORE_USER = coreUserSchema.id;
export const CORE_GROUP = coreGroupSchema.id;
export const ENTERPRISE_USER = enterpriseUserSchema.id;

/** The User of a tenant without extensions of its own. */
export const USER_TYPE: ResourceType = {
  name: 'User',
  endpoint: '/Users',
  description: 'User Account',
  schema: coreUserSchema,
  extensions: [{ schema: enterpriseUserSchema, required: false }],
};

export const GROUP_TYPE: ResourceType = {
  name: 'Group',
  endpoint: '/Groups',
  description: 'Group',
  schema: coreGroupSchema,
  extensions: [],
};

const ROLE_TYPE: ResourceType = {
  name: 'Role',
  endpoint: '/Roles',
  description: 'Role',
  schema: oktaRoleSchema,
  extensions: [],
};

const ENTITLEMENT_TYPE: ResourceType = {
  name: 'Entitlement',
  endpoint: '/Entitlements',
  description: 'Entitlement',
  schema: oktaEntitlementSchema,
  extensions: [],
};

/** The resource types of a tenant without extensions of its own. */
export const BASE_TYPES: ResourceTypes = {
  User: USER_TYPE,
  Group: GROUP_TYPE,
  Role: ROLE_TYPE,
  Entitlement: ENTITLEMENT_TYPE,
};

const extended = oncePer((extensions: readonly Extension[]): ResourceTypes => {
  const user = { ...USER_TYPE, extensions: [...USER_TYPE.extensions, ...extensions] };
  return { ...BASE_TYPES, User: user };
});

/** The resource types of a tenant: User carries its extensions. The same list gives the same types. */
export function typesWith(extensions: readonly Extension[]): ResourceTypes {
  return extensions.length === 0 ? BASE_TYPES : extended(extensions);
}
