import type { Context, Principal } from '../../context.ts';
import { hasTeamsOrRoles } from '../../reconcile/teams.ts';
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

const writable = listed(({ User, Group }) => [User, Group]);
const all = listed((types) => Object.values(types));

/** The same types give the same list, so that what is made of it is made once. */
function listed(list: (types: ResourceTypes) => readonly ResourceType[]) {
  const lists = new WeakMap<ResourceTypes, readonly ResourceType[]>();
  return (types: ResourceTypes): readonly ResourceType[] => {
    const known = lists.get(types) ?? list(types);
    lists.set(types, known);
    return known;
  };
}
