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

/** Holds the last owner of a tenant (`retention-sql.ts`). */
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

/** Whether what a directory's groups or a sign-in's claims give has this origin. */
export function isManagedOrigin(origin: string): boolean {
  return origin.startsWith('scim:') || origin.startsWith('jit:');
}

const UNMANAGED_ORDER = ['invitation', 'email_domain', MANUAL, RETENTION];

/** The order of `firstGrant`, for what is decided without a database. */
export function compareGrants(left: GrantPlace, right: GrantPlace): number {
  const place = ({ origin }: GrantPlace) => (isManagedOrigin(origin) ? -1 : UNMANAGED_ORDER.indexOf(origin));
  return (
    place(left) - place(right) ||
    comparePrecedence(left.precedence, right.precedence) ||
    compareText(left.origin, right.origin)
  );
}

interface GrantPlace {
  readonly origin: string;
  readonly precedence: number | null;
}

/** Lower first, none last. */
export function comparePrecedence(left: number | null, right: number | null): number {
  return left === right ? 0 : (left ?? Number.POSITIVE_INFINITY) - (right ?? Number.POSITIVE_INFINITY);
}

export function compareText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
