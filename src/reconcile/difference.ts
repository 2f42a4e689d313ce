import { found } from '../db/found.ts';
import { OWNER, RETENTION } from './grants.ts';
import type { Scope } from './plan-sql.ts';

/** What users gain and lose by a plan (`plan-sql.ts`), counted and told: the SQL that every statement of a range ends with. */

export interface Right {
  readonly permission: string;
  readonly user: string;
}

export interface MembershipChange {
  readonly change: 'add' | 'change' | 'remove';
  readonly user: string;
  readonly userName: string | null;
  /** Name; null: the team is gone. */
  readonly team: string | null;
  readonly teamId: string;
  readonly kind: string | null;
  /** The role from now on; null: none. */
  readonly role: string | null;
  /** The role so far; null: none. */
  readonly was: string | null;
  /** The row of the mapping that gives it, or gave what is lost; null: no row did. */
  readonly row: string | null;
  /** The version of the mapping whose row that is. */
  readonly mappingVersion: number | null;
}

/** So many changes does a plan tell one by one; so many owners and permissions each way. */
export const TOLD_CHANGES = 1_000;

/** What differs for the users of a range. */
export interface Difference {
  /** Grants that are added, changed or ended. */
  readonly grants: number;
  /** Memberships. */
  readonly add: number;
  readonly change: number;
  readonly remove: number;
  /** Users, the first `TOLD_CHANGES`. */
  readonly owners_gained: string[];
  readonly owners_lost: string[];
  readonly owners_lost_count: number;
  readonly owners_retained: string[];
  readonly permissions_gained: Right[];
  readonly permissions_lost: Right[];
  /** Of memberships: the first, as many as were asked for. */
  readonly changes: MembershipChange[];
}

/** CTEs `told` and `counted`: the plan's `effect` for those of the scope, each with its target, and how many there are. */
export const differenceText = ({ within }: Scope) => `told as materialized (
     select user_id, target_id, e.role, was, "row", e.version, case when is_team then t.name end as team, t.kind,
            case when not is_team then t.name end as permission,
            case when had then case when has then 'change' else 'remove' end else 'add' end as change
     from effect e full join target t on t.id = e.target_id
     -- Who is kept as the last owner may lie beyond a range.
     where ${within('user_id')}
   ), counted as (
     select count(*) filter (where change = 'add') as add, count(*) filter (where change = 'change') as change,
            count(*) filter (where change = 'remove') as remove
     from told where target_id <> '${OWNER}' and permission is null
   )`;

const list = (value: string, from: string) =>
  `(select coalesce(jsonb_agg(value order by place), '[]')
          from (select ${value} as value, row_number() over (order by target_id, user_id) as place ${from}
                limit ${TOLD_CHANGES}) as first)`;

const RIGHT = `jsonb_build_object('permission', permission, 'user', user_id)`;

/** How many grants a plan writes that belong to the scope. */
export const grantsOf = ({ within }: Scope) => `(select count(*) from changed where ${within('user_id')})`;

/** What a statement selects from `counted` for a `Difference`, but for its `grants`; `most` changes are told. */
export const differenceColumns = (most: number | string) => `add, change, remove,
          ${list('user_id', `from told where change = 'add' and target_id = '${OWNER}'`)} as owners_gained,
          ${list('user_id', `from told where change = 'remove' and target_id = '${OWNER}'`)} as owners_lost,
          (select count(*) from told where change = 'remove' and target_id = '${OWNER}') as owners_lost_count,
          (select coalesce(jsonb_agg(user_id), '[]') from changed where origin = '${RETENTION}' and new_held) as owners_retained,
          ${list(RIGHT, `from told where change = 'add' and permission is not null`)} as permissions_gained,
          ${list(RIGHT, `from told where change = 'remove' and permission is not null`)} as permissions_lost,
          (select coalesce(jsonb_agg(jsonb_build_object('change', change, 'user', user_id,
                    'userName', (select body::jsonb ->> 'userName' from (${found('scim_user', 'id', 'user_id')}) as u),
                    'team', team, 'teamId', target_id, 'kind', kind, 'role', role, 'was', was, 'row', "row",
                    'mappingVersion', version)
                    order by team, user_id, kind), '[]')
           from (select * from told where target_id <> '${OWNER}' and permission is null
                 order by team, user_id, kind limit ${most}) as first) as changes`;
