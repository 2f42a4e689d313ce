import { type Step, statement, step } from '../db/statement.ts';
import { type Difference, TOLD_CHANGES } from './difference.ts';
import { OWNER } from './grants.ts';
import type { Plan } from './plan.ts';
import type { UserRange } from './plan-sql.ts';

/** What a job found to differ from what should be, summed up over the ranges of users that are done. */
export interface Found extends Pick<Plan, 'add' | 'change' | 'remove' | 'permissions' | 'changes'> {
  /** Grants that are to be added, changed or ended. */
  readonly grants: number;
  /** Those of them whose user, team or permission is gone. */
  readonly orphans: number;
  readonly owners: Omit<Plan['owners'], 'retained'>;
}

export const NOTHING_FOUND: Found = {
  grants: 0,
  orphans: 0,
  add: 0,
  change: 0,
  remove: 0,
  owners: { gained: [], lost: [] },
  permissions: { gained: [], lost: [] },
  changes: [],
};

/** What was found so far, and what differs in the next range. */
export function foundMore(found: Found, more: Difference, { orphans }: Orphans): Found {
  const both = <Item>(before: readonly Item[], after: readonly Item[]) =>
    [...before, ...after].slice(0, TOLD_CHANGES);
  return {
    grants: found.grants + more.grants,
    orphans: found.orphans + orphans,
    add: found.add + more.add,
    change: found.change + more.change,
    remove: found.remove + more.remove,
    owners: {
      gained: both(found.owners.gained, more.owners_gained),
      lost: both(found.owners.lost, more.owners_lost),
    },
    permissions: {
      gained: both(found.permissions.gained, more.permissions_gained),
      lost: both(found.permissions.lost, more.permissions_lost),
    },
    changes: both(found.changes, more.changes),
  };
}

/** The numbers alone: for events, which are kept for ever. */
export function countsOf({ grants, orphans, add, change, remove, owners }: Found) {
  const { gained, lost } = owners;
  return { grants, orphans, add, change, remove, owners: { gained: gained.length, lost: lost.length } };
}

/** How many grants are of a user, a team or a permission that is gone. */
interface Orphans {
  readonly orphans: number;
}

const orphansStatement = statement<Orphans>(
  'orphan_grants',
  `select count(*) as orphans from access_grant g
   where tenant_id = $1 and user_id > $2 and user_id <= $3
     and (not exists (select from scim_user u where u.tenant_id = $1 and u.id = g.user_id)
          or target_id <> '${OWNER}'
             and not exists (select from team t where t.tenant_id = $1 and t.id = g.target_id)
             and not exists (select from permission p where p.tenant_id = $1 and p.id = g.target_id))`,
);

/** Those of this range. */
export function orphansOf(tenantId: string, { after, upTo }: UserRange): Step<Orphans> {
  return step(orphansStatement, [tenantId, after, upTo]);
}
