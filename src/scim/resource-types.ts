import { coreGroupSchema } from './schemas/core-group.ts';
import { coreUserSchema } from './schemas/core-user.ts';
import { enterpriseUserSchema } from './schemas/enterprise-user.ts';
import type { ResourceType } from './types.ts';

export const CORE_USER = coreUserSchema.id;
export const CORE_GROUP = coreGroupSchema.id;
export const ENTERPRISE_USER = enterpriseUserSchema.id;

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

export const RESOURCE_TYPES: readonly ResourceType[] = [USER_TYPE, GROUP_TYPE];
