import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { GROUP_TYPE } from '../scim/resource-types.ts';
import type { FilterNode } from '../scim/types.ts';
import { elementFilterCondition } from './filter-sql.ts';
import { type Viewer, visibleGroups } from './viewer.ts';

/** The members of a group that a value path such as `members[type eq "User"]` matches, by id. */
export async function membersMatching(
  db: Database,
  viewer: Viewer,
  { groupId, filter, baseUrl }: { groupId: string; filter: FilterNode; baseUrl: string },
): Promise<string[]> {
  const members = { attribute: attributeNamed('members') };
  const { from, where, condition } = elementFilterCondition(members, filter, {
    type: GROUP_TYPE,
    tenantId: viewer.tenantId,
    baseUrl,
  });
  const query = sql`select m.user_id from scim_group g, ${from}
    where ${visibleGroups(viewer)} and g.id = ${groupId} and ${where} and ${condition}`.compile(db.kysely);
  const { rows } = await db.pool.query<{ user_id: string }>(query.sql, [...query.parameters]);
  return rows.map((row) => row.user_id);
}

function attributeNamed(name: string) {
  const attribute = GROUP_TYPE.schema.attributes.find((each) => each.name === name);
  if (!attribute) throw new Error(`the Group schema has no ${name}`);
  return attribute;
}
