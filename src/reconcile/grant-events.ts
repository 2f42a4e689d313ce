import { IDS_PER_EVENT } from '../db/event-row.ts';
import { OWNER } from './grants.ts';

/** What is told, and kept, of grants that are written: the SQL that every statement that writes some ends with. */

/** The columns of a period of a grant that `access_grant_history` keeps as they stood in `access_grant`. */
export const PERIOD =
  'role, suspended, since, until, mapping_version, "row", precedence, group_id, group_name, change_id';

/** The resource that an event of a target is about. */
const RESOURCE = `case when target_id = '${OWNER}' then 'Tenant'
                       when target_id in (select id from permission where tenant_id = $1) then 'Permission'
                       else 'Team' end`;

const REASON = `jsonb_strip_nulls(jsonb_build_object('origin', origin, 'cause', cause, 'mappingVersion', version,
              'row', "row", 'group', case when group_name is not null
                then jsonb_build_object('id', group_id, 'name', group_name) end))`;

/** What users share who are told by one event. */
const SHARED = 'type, target_id, was, role, suspended, origin, cause, version, "row", group_id, group_name';

/** Which change and request rows belong to: all to one, or each to its own (columns `change_id`, `request_id`). */
export type Causes = 'one' | 'each';

const eventsOf = (source: string, causes: Causes, side: { before: string; after: string }) => {
  const shared = causes === 'each' ? `${SHARED}, change_id, request_id` : SHARED;
  const cause = causes === 'each' ? 'change_id, request_id' : '$4::uuid as change_id, $5::text as request_id';
  return `select type, ${RESOURCE} as resource_type, case when target_id = '${OWNER}' then $1 else target_id end as resource_id,
            ${REASON} as reason,
            case when type not like '%added' then jsonb_strip_nulls(${side.before}) end as before,
            case when type !~ '(removed|ended)$' then jsonb_strip_nulls(${side.after}) end as after,
            ${cause}
     from (select ${shared}, array_agg(user_id order by user_id) as ids from ${source} group by ${shared}) as alike
          cross join lateral (
            select to_jsonb(ids[n : n + ${IDS_PER_EVENT - 1}]) as users
            from generate_series(1, cardinality(ids), ${IDS_PER_EVENT}) as n) as chunks`;
};

/**
 * Rows for `insertEvents`, of the change `$4` in the request `$5` or of their own: the users of `source` who share
 * everything else, at most `IDS_PER_EVENT` a row. `source` has `user_id` and the columns `SHARED`; a grant that ends is told by what gave it.
 */
export const grantEvents = (source: string, causes: Causes = 'one') =>
  eventsOf(source, causes, {
    before: `jsonb_build_object('origin', origin, 'role', was, 'users', users)`,
    after: `jsonb_build_object('origin', origin, 'role', role, 'suspended', suspended, 'users', users)`,
  });

/** The same of what users hold. */
export const effectEvents = (source: string, causes: Causes = 'one') =>
  eventsOf(source, causes, {
    before: `jsonb_build_object('role', was, 'users', users)`,
    after: `jsonb_build_object('role', role, 'users', users)`,
  });
