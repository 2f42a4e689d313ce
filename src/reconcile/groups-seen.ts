import { runBounded, tooBroad } from '../db/bounded.ts';
import type { Database } from '../db/database.ts';
import { GROUP_KEYS, keyRows } from '../db/match-keys.ts';
import { type Step, statement, step } from '../db/statement.ts';

/** The groups that identity providers told of: SCIM groups by directory, claims by identity provider. */

/** What one source says of a user's groups. */
export interface SourceGroups {
  /** `scim:<directory>` or `jit:<identity provider>`. */
  readonly source: string;
  /** Of claims as the last sign-in told it; `absent` and `overage`: unknown, the groups are those told before. */
  readonly state: 'list' | 'empty' | 'absent' | 'overage';
  /** Names. */
  readonly groups: readonly string[];
  /** When one of the groups was last changed, or the sign-in that told of the claims; null: there is no group. */
  readonly seenAt: Date | null;
}

interface SourceGroupsRow {
  readonly user_id: string;
  readonly source: string;
  /** null: of a directory, whose groups say it. */
  readonly state: 'list' | 'empty' | 'absent' | 'overage' | null;
  /** null: the rows have too many together. */
  readonly groups: string[] | null;
  readonly seen_at: Date | null;
}

/** Names in one answer. */
const MAX_NAMES = 100_000;

const groupsOfUsersStatement = statement<SourceGroupsRow>(
  'groups_of_users',
  `with told as (
     select u.id as user_id, 'scim:' || d.name as source, null as state, max(g.updated_at) as seen_at,
            coalesce(array_agg(g.display_name order by g.display_name_folded) filter (where g.id is not null), '{}')
              as groups
     from scim_user u
     join directory d on d.tenant_id = $1 and d.id = u.directory_id
     left join group_member m on m.tenant_id = $1 and m.user_id = u.id
     left join scim_group g on g.tenant_id = $1 and g.id = m.group_id
     where u.tenant_id = $1 and u.id = any ($2::uuid[])
     group by u.id, d.name
     union all
     select l.user_id, 'jit:' || p.name, l.group_state, l.groups_seen_at, l.groups
     from identity_link l join identity_provider p on p.tenant_id = $1 and p.id = l.identity_provider_id
     where l.tenant_id = $1 and l.user_id = any ($2::uuid[]) and l.last_sign_in_at is not null
   )
   select user_id, source, state, seen_at, case when sum(cardinality(groups)) over () <= ${MAX_NAMES} then groups end as groups
   from told order by source`,
);

/** What each source says of the groups of these users; `sourceGroupsByUser` reads the rows. */
export function groupsOfUsers(tenantId: string, userIds: readonly string[]): Step<SourceGroupsRow> {
  return step(groupsOfUsersStatement, [tenantId, userIds]);
}

/** @throws AppError `invalid_request` (`too_broad`) for more than 100,000 names. */
export function sourceGroupsByUser(rows: readonly SourceGroupsRow[]): ReadonlyMap<string, SourceGroups[]> {
  const byUser = new Map<string, SourceGroups[]>(rows.map(({ user_id }) => [user_id, []]));
  for (const { user_id, source, state, groups, seen_at } of rows) {
    if (groups === null)
      throw tooBroad(`The users of this page are in more than ${MAX_NAMES} groups together`);
    byUser
      .get(user_id)
      ?.push({ source, state: state ?? (groups.length > 0 ? 'list' : 'empty'), groups, seenAt: seen_at });
  }
  return byUser;
}

export interface GroupSeen {
  /** `scim:<directory>` or `jit:<identity provider>`. */
  readonly source: string;
  /** null: a claim. */
  readonly id: string | null;
  readonly name: string;
  readonly externalId: string | null;
  /** Of a claim: how many users had it at their last sign-in. */
  readonly members: number;
  /** JSON pointers of the rows of the mapping that name it, the first of them first. */
  readonly rows: readonly string[];
  /** The last push that changed it; of a claim the last sign-in that told of it. */
  readonly seenAt: Date;
  /** Where it stands among the groups of its source. */
  readonly place: string;
}

/** Behind which group a page starts; two empty texts: at the beginning. */
export type GroupPlace = readonly [source: string, place: string];

// A claim may be a name or an id, so that it has the keys of a group with that name and that externalId.
const groupsSeenStatement = statement<Omit<GroupSeen, 'name' | 'externalId' | 'seenAt'> & SeenColumns>(
  'groups_seen',
  `with page as (
     (select 'scim:' || d.name collate "C" as source, g.display_name_folded as place, g.id, g.display_name,
             g.external_id, null::bigint as users, g.updated_at as seen_at, d.name as directory,
             null::text as identity_provider
      from directory d
      join scim_group g on g.tenant_id = $1 and g.directory_id = d.id
      where d.tenant_id = $1 and ('scim:' || d.name collate "C", g.display_name_folded) > ($2, $3)
      order by 1, 2 limit $4)
     union all
     (select 'jit:' || p.name collate "C", claim collate "C", null, claim, claim,
             count(distinct l.user_id), max(l.groups_seen_at), null, p.name
      from identity_link l join identity_provider p on p.tenant_id = $1 and p.id = l.identity_provider_id
           cross join unnest(l.groups) as claim
      where l.tenant_id = $1 and ('jit:' || p.name collate "C", claim collate "C") > ($2, $3)
      group by p.name, claim
      order by 1, 2 limit $4)
     order by 1, 2 limit $4
   )
   select g.source, g.place, g.id, g.display_name, case when g.id is not null then g.external_id end as external_id,
          g.seen_at,
          coalesce(g.users, (select count(*) from group_member m where m.tenant_id = $1 and m.group_id = g.id))
            as members,
          array(select r."row" from group_mapping c
                cross join lateral ${keyRows(GROUP_KEYS)}
                join mapping_row r on r.tenant_id = $1 and r.version = c.version and r.match = key.match
                where c.tenant_id = $1 and (r.directory is null or r.directory = g.directory)
                  and (r.identity_provider is null or r.identity_provider = g.identity_provider)
                group by r."row" order by min(r.precedence)) as rows
   from page g order by 1, 2`,
);

interface SeenColumns {
  readonly display_name: string;
  readonly external_id: string | null;
  readonly seen_at: Date;
}

/** A page of the groups seen, by source and name. Claims are counted over all sign-ins: throws like `runBounded`. */
export async function groupsSeen(
  db: Database,
  tenantId: string,
  { after: [source, place], limit }: { readonly after: GroupPlace; readonly limit: number },
): Promise<GroupSeen[]> {
  const page = step(groupsSeenStatement, [tenantId, source, place, limit]);
  const rows = await runBounded(db, page);
  return rows.map(({ display_name: name, external_id: externalId, seen_at: seenAt, ...row }) => ({
    ...row,
    name,
    externalId,
    seenAt,
  }));
}
