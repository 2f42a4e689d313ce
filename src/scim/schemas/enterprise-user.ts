import type { Schema } from '../types.ts';
import { attribute, readOnly } from './attribute.ts';

/**
 * RFC 7643 sections 4.3 and 8.7.1. `manager.value` is case exact (erratum 8472) and not required: clients
 * clear a manager by sending an empty value.
 */
export const enterpriseUserSchema = {
  id: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  name: 'EnterpriseUser',
  description: 'Enterprise User',
  attributes: [
    attribute({
      name: 'employeeNumber',
      description: 'The identifier that the organization gave to the person.',
    }),
    attribute({ name: 'costCenter', description: 'The name of a cost center.' }),
    attribute({ name: 'organization', description: 'The name of an organization.' }),
    attribute({ name: 'division', description: 'The name of a division.' }),
    attribute({ name: 'department', description: 'The name of a department.' }),
    attribute({
      name: 'manager',
      type: 'complex',
      description: "The user's manager, another user.",
      subAttributes: [
        attribute({ name: 'value', description: 'The id of the manager.', caseExact: true }),
        attribute({
          name: '$ref',
          type: 'reference',
          description: 'The URI of the manager.',
          referenceTypes: ['User'],
        }),
        readOnly({ name: 'displayName', description: 'The displayName of the manager.' }),
      ],
    }),
  ],
} as const satisfies Schema;
