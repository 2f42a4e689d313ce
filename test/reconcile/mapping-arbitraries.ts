import fc from 'fast-check';
import type { MappingDocument } from '../../src/reconcile/mapping-document.ts';
import { BUILT_IN_ROLES } from '../../src/reconcile/roles.ts';

/** What the tenant of these tests has. */
export const KNOWN = {
  roles: new Set([...BUILT_IN_ROLES.map(({ name }) => name), 'ON_CALL']),
  permissions: new Set(['AUDIT_LOG_READ', 'TUNNEL_MANAGE']),
  directories: new Set(['default', 'entra']),
  identityProviders: new Set(['okta', 'keycloak']),
};

export const ROLES = [...BUILT_IN_ROLES, { name: 'ON_CALL', rank: 250 }];

/** The document of the design, as an admin would paste it. */
export const EXAMPLE: MappingDocument = {
  group_attribute_name: 'Group',
  conflict_strategy: 'first_match',
  tenant_owners_groups: ['IT Admins'],
  tenant_permission: [{ group_name: 'Auditors', permissions: ['AUDIT_LOG_READ'] }],
  mappings: [
    { group_name: 'SecOps', team_name: 'Incident Response', role_name: 'TEAM_ADMIN' },
    { group_name: 'Analysts', team_name: 'Incident Response', role_name: 'EDITOR' },
    { group_id: '7d2f', case_group_name: 'Fraud', role_name: 'VIEWER', directory: 'entra' },
  ],
};

// Few names, so that rows meet; some that only look alike.
const names = fc.constantFrom('Analysts', 'analysts', ' Analysts', 'SecOps', 'é', 'e\u0301', '🦊', 'a/b~c');
const source = fc.oneof(
  fc.constant({}),
  fc.constantFrom(...KNOWN.directories).map((directory) => ({ directory })),
  fc.constantFrom(...KNOWN.identityProviders).map((name) => ({ identity_provider: name })),
);
const group = fc
  .tuple(fc.constantFrom('group_name', 'group_id', 'sso_group'), names)
  .map(([key, name]) => ({ [key]: name }));
const team = fc
  .tuple(fc.constantFrom('team_name', 'case_group_name'), names)
  .map(([key, name]) => ({ [key]: name }));
const anyCase = (words: ReadonlySet<string>) =>
  fc.tuple(fc.constantFrom(...words), fc.boolean()).map(([word, low]) => (low ? word.toLowerCase() : word));

const row = fc
  .tuple(group, team, fc.record({ role_name: anyCase(KNOWN.roles) }), source)
  .map((parts) => Object.assign({}, ...parts));
const permissions = fc.uniqueArray(anyCase(KNOWN.permissions), {
  minLength: 1,
  selector: (name) => name.toUpperCase(),
});
const entry = fc.tuple(group, fc.record({ permissions }), source).map((parts) => Object.assign({}, ...parts));
const entries = fc.array(entry, { maxLength: 3 });
const owners = fc.uniqueArray(names, { maxLength: 3 });
const optional = (members: Record<string, fc.Arbitrary<unknown>>) => fc.record(members, { requiredKeys: [] });

const body = fc
  .tuple(
    optional({
      group_attribute_name: names,
      conflict_strategy: fc.constantFrom('first_match', 'highest_role'),
      on_unmap: fc.constantFrom('remove', 'keep'),
    }),
    fc.oneof(optional({ tenant_owners_groups: owners }), optional({ tenant_owners_group: names })),
    fc.oneof(optional({ tenant_permission: entries }), optional({ tenant_permissions: entries })),
    fc.record({ mappings: fc.array(row, { minLength: 1, maxLength: 6 }) }),
  )
  .map((parts): object => Object.assign({}, ...parts));

/** Documents that can be read, in every spelling. */
export const documents = fc
  .tuple(body, fc.boolean())
  .map(([document, wrap]): unknown => (wrap ? { user_group_mapping: document } : document));

/** Documents that could be read until one value in them was replaced or taken away, or one key added. */
export const brokenDocuments = fc
  .tuple(documents, fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), fc.jsonValue(), fc.nat(2))
  .map(([document, path, value, how]) => {
    const broken: unknown = structuredClone(document);
    let holder = broken as Record<string, unknown>;
    for (const [depth, choice] of path.entries()) {
      const keys = Object.keys(holder);
      const key = keys[choice % keys.length] ?? 'added';
      const inner = holder[key];
      if (depth < path.length - 1 && typeof inner === 'object' && inner !== null) {
        holder = inner as Record<string, unknown>;
      } else {
        if (how === 0) delete holder[key];
        else holder[how === 1 ? key : `${key}/~added`] = value;
        break;
      }
    }
    return broken;
  });
