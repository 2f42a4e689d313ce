import { NIL } from 'uuid';

/**
 * A grant is one origin's claim that a user holds a role in a team, a permission, or the tenant itself. What a user
 * holds of a target is their first grant of it that is not suspended, in the order of `firstGrant`.
 */

/** The target of grants that make a tenant owner. */
export const OWNER = NIL;

/** What is claimed by hand; every other origin is written by a sync, a sign-in, or the rule of the last owner. */
export const MANUAL = 'manual';

/** The origins that no sync writes: what admins may end. */
const UNMANAGED = [MANUAL, 'invitation', 'email_domain'] as const;

export function isUnmanaged(origin: string): origin is (typeof UNMANAGED)[number] {
  return UNMANAGED.some((each) => each === origin);
}

/** Holds the last owner of a tenant (`owners-sql.ts`). */
export const RETENTION = 'retention';

/** SQL: whether the origin is a managed one: what a directory's groups or a sign-in's claims give. */
export const isManaged = (origin: string) => `(${origin} like 'scim:%' or ${origin} like 'jit:%')`;

/**
 * SQL for `order by`: which of the grants that one user has of one target holds. Managed first, of several of them by
 * the rows of the mapping; then what came by invitation, by e-mail domain, by hand, and what only retention holds.
 */
export function firstGrant(origin: string, precedence: string): string {
  return `case when ${isManaged(origin)} then 0 when ${origin} = 'invitation' then 1
       when ${origin} = 'email_domain' then 2 when ${origin} = '${MANUAL}' then 3 else 4 end,
     ${precedence} nulls last, ${origin}`;
}
