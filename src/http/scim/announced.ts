import type { Context, Principal } from '../../context.ts';
import { hasTeamsOrRoles } from '../../reconcile/teams.ts';
import { oncePer } from '../../scim/once-per.ts';
import { BASE_TYPES, typesWith } from '../../scim/resource-types.ts';
import type { ResourceType, ResourceTypes } from '../../scim/types.ts';

/**
 * The resource types that a client is told of, as the tenant of its key has them. Role and Entitlement are among
 * them once the tenant has a team or a role of its own: Okta then discovers what there is to assign, and clients
 * that create whatever is announced are not led to types that nobody can write by SCIM.
 */
export async function announcedTypes(
  { db }: Context,
  principal: Principal | undefined,
): Promise<readonly ResourceType[]> {
  if (principal?.kind !== 'api_key') return writable(BASE_TYPES);
  const types = typesWith(principal.tenant.extensions);
  return (await hasTeamsOrRoles(db, principal.tenant.id)) ? all(types) : writable(types);
}

// The same types give the same list, so that what is made of it is made once.
const writable = oncePer(({ User, Group }: ResourceTypes): readonly ResourceType[] => [User, Group]);
const all = oncePer((types: ResourceTypes): readonly ResourceType[] => Object.values(types));
