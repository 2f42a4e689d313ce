import { type Step, statement, step } from '../db/statement.ts';
import { firstGrant, isManaged, OWNER } from './grants.ts';
import { HAS_ROW, IS_SYNCED, MAPPING, NAMES_TARGET, SETTING } from './plan-sql.ts';

/** What an edit of grants by hand looks at first. Behind the locks of tenant and user; for ownership, of the owners. */

/** One user and what they may hold: a team's or a permission's id, or `OWNER`. */
export interface Place {
  readonly userId: string;
  readonly targetId: string;
}

/** How a user and a target stand to each other, whatever the user holds. */
export interface Standing {
  /** The directory that manages the user, by name; null: none does. */
  readonly directory: string | null;
  /** Whether a directory, or an identity provider at each sign-in, says what the user holds. */
  readonly synced: boolean;
  /** Whether the mapping, or `ownersByUserType`, says who holds the target. */
  readonly governed: boolean;
  /** Whether the tenant has an owner besides this user. */
  readonly otherOwner: boolean;
}

const standingStatement = statement<Standing>(
  'standing_by_hand',
  `with ${SETTING}, ${MAPPING}
   select d.name as directory, ${IS_SYNCED} as synced, ${HAS_ROW} as governed,
          exists (select from access_grant o where o.tenant_id = $1 and o.target_id = '${OWNER}'
                  and o.user_id <> u.id and not o.suspended) as "otherOwner"
   from scim_user u cross join setting
        left join directory d on d.tenant_id = $1 and d.id = u.directory_id
        left join team t on t.tenant_id = $1 and t.id = $3
        left join permission a on a.tenant_id = $1 and a.id = $3
   where u.tenant_id = $1 and u.id = $2`,
);

/** No row: there is no such user. */
export function standingOf(tenantId: string, { userId, targetId }: Place): Step<Standing> {
  return step(standingStatement, [tenantId, userId, targetId]);
}

/** A grant that the user has of the target. */
export interface Held {
  readonly origin: string;
  readonly managed: boolean;
  readonly role: string | null;
  readonly suspended: boolean;
  /** JSON pointer of the mapping's row that gives it, and the name of the group; null: no row does. */
  readonly row: string | null;
  readonly group: string | null;
}

const heldStatement = statement<Held>(
  'held_by_hand',
  `select origin, ${isManaged('origin')} as managed, role, suspended, "row", group_name as "group"
   from access_grant where tenant_id = $1 and user_id = $2 and target_id = $3
   order by suspended, ${firstGrant('origin', 'precedence')}`,
);

/** The user's grants of the target; the first is what they hold, unless it is suspended. */
export function heldOf(tenantId: string, { userId, targetId }: Place): Step<Held> {
  return step(heldStatement, [tenantId, userId, targetId]);
}

/** A row of the mapping and what it names its group by. */
export interface Giver {
  readonly group: string;
  /** JSON pointer. */
  readonly row: string;
}

const giversStatement = statement<Giver>(
  'givers',
  `select r."row", substr(r.match, strpos(r.match, ':') + 1) as "group"
   from group_mapping m
        left join team t on t.tenant_id = $1 and t.id = $2
        left join permission a on a.tenant_id = $1 and a.id = $2
        join mapping_row r on r.tenant_id = $1 and r.version = m.version and ${NAMES_TARGET}
   where m.tenant_id = $1
   order by r.precedence limit 20`,
);

/** The rows of the current mapping that give the target, the first 20. */
export function giversOf(tenantId: string, targetId: string): Step<Giver> {
  return step(giversStatement, [tenantId, targetId]);
}

/** What a user holds of a target, as an edit by hand would write it. */
interface Given {
  readonly targetId: string;
  readonly role: string | null;
}

const givenBySyncStatement = statement<Given>(
  'given_by_sync',
  `select distinct on (target_id) target_id as "targetId", role
   from access_grant where tenant_id = $1 and user_id = $2 and ${isManaged('origin')}
   order by target_id, ${firstGrant('origin', 'precedence')}`,
);

/** Of each target the managed grant of the user that counts. */
export function givenBySync(tenantId: string, userId: string): Step<Given> {
  return step(givenBySyncStatement, [tenantId, userId]);
}

const endStandardSyncStatement = statement<unknown>(
  'end_standard_sync',
  `update jit_sync set groups = '{}' where tenant_id = $1 and user_id = $2 and mode = 'standard'`,
);

/** Lets nothing follow any more from what standard JIT synced; that it did is kept: it does so once. */
export function endStandardSync(tenantId: string, userId: string): Step {
  return step(endStandardSyncStatement, [tenantId, userId]);
}

const givenByStatement = statement<Given & { readonly userId: string }>(
  'given_by',
  `select user_id as "userId", target_id as "targetId", role
   from access_grant where tenant_id = $1 and origin = $2 and not suspended
   order by user_id, target_id`,
);

/** What everybody holds by one origin. */
export function givenBy(tenantId: string, origin: string): Step<Given & { readonly userId: string }> {
  return step(givenByStatement, [tenantId, origin]);
}
