import { foundByIds } from '../db/found.ts';
import { instantText } from '../db/instant.ts';
import { type Step, statement, step } from '../db/statement.ts';
import { foldText, searchDocument } from '../scim/fold.ts';
import { GROUP_TYPE } from '../scim/resource-types.ts';
import type { Resource } from '../scim/types.ts';
import type { Viewer } from './viewer.ts';

/** A group as it is read: the stored text and what is spliced into it. */
export interface GroupRow {
  readonly id: string;
  readonly version: number;
  /** ISO 8601 in UTC, as `updated_at` is. */
  readonly created_at: string;
  readonly updated_at: string;
  readonly body: string;
  /** The members' ids, comma-joined; null: none, or not asked for. */
  readonly members: string | null;
}

/** A Group resource (without members) as the columns of `scim_group`. */
export interface GroupColumns {
  readonly displayName: string;
  readonly displayNameFolded: string;
  readonly externalId: string | null;
  /** JSON text without `id`, `members` and `meta`. */
  readonly body: string;
  /** JSON text. */
  readonly search: string;
}

/** Takes a validated Group resource, without its members, apart into columns. */
export function groupColumns(resource: Resource): GroupColumns {
  const displayName = String(resource.displayName);
  return {
    displayName,
    displayNameFolded: foldText(displayName),
    externalId: typeof resource.externalId === 'string' ? resource.externalId : null,
    body: JSON.stringify(resource),
    search: JSON.stringify(searchDocument(resource, GROUP_TYPE)),
  };
}

const GROUP_COLUMNS = `g.id, g.version, ${instantText('g.created_at')} as created_at,
    ${instantText('g.updated_at')} as updated_at, g.body`;

/** The members of `g`: text, because no form of 100,000 ids is faster to send. */
const MEMBERS_OF_GROUP = `(
    select string_agg(m.user_id::text, ',' order by m.user_id)
    from group_member m where m.tenant_id = g.tenant_id and m.group_id = g.id)`;

const readGroupsStatement = statement<GroupRow>(
  'read_groups',
  `select ${GROUP_COLUMNS}, null as members
   from ${foundByIds('scim_group', '$3', 'g')} where g.directory_id = $2`,
);

const readGroupsWithMembersStatement = statement<GroupRow>(
  'read_groups_with_members',
  `select ${GROUP_COLUMNS}, ${MEMBERS_OF_GROUP} as members
   from ${foundByIds('scim_group', '$3', 'g')} where g.directory_id = $2`,
);

/** The groups with these ids that the viewer may see, in no order. Without `members` no member is read. */
export function readGroups(
  { tenantId, directoryId }: Viewer,
  ids: readonly string[],
  { members }: { members: boolean },
): Step<GroupRow> {
  return step(members ? readGroupsWithMembersStatement : readGroupsStatement, [tenantId, directoryId, ids]);
}
