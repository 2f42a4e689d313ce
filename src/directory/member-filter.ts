import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { compiled, type Step } from '../db/statement.ts';
import { GROUP_TYPE } from '../scim/resource-types.ts';
import type { FilterNode } from '../scim/types.ts';
import { elementFilterCondition } from './filter-sql.ts';
import { type Viewer, visibleGroups } from './viewer.ts';

/** Reads the members of a group that a value path such as `members[type eq "User"]` matches, by id. */
export function membersMatching(
  { kysely }: Database,
  viewer: Viewer,
  { groupId, filter, baseUrl }: { groupId: string; filter: FilterNode; baseUrl: string },
): Step<{ user_id: string }> {
  const members = { attribute: attributeNamed('members') };
  const { tenantId, directoryId } = viewer;
  const { from, where, condition } = elementFilterCondition(members, filter, {
    type: GROUP_TYPE,
    tenantId,
    directoryId,
    baseUrl,
  });
  const query = sql`select m.user_id from scim_group g, ${from}
    where ${visibleGroups(viewer)} and g.id = ${groupId} and ${where} and ${condition}`;
  return compiled(query.compile(kysely), tenantId);
}

function attributeNamed(name: string) {
  const attribute = GROUP_TYPE.schema.attributes.find((each) => each.name === name);
  if (!attribute) throw new Error(`the Group schema has no ${name}`);
  return attribute;
}
