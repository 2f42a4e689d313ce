import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { compiled } from '../db/statement.ts';
import { pipeline } from '../db/transaction.ts';
import { GROUP_TYPE, USER_TYPE } from '../scim/resource-types.ts';
import type { AttributePath, FilterNode } from '../scim/types.ts';
import { elementsOf, operandOf, type Target } from './attribute-sql.ts';
import { filterCondition } from './filter-sql.ts';
import { type GroupRow, MEMBERS_OF_GROUP } from './groups.ts';
import { groupsOfUser, type UserRow } from './users.ts';
import { type Viewer, visibleGroups, visibleUsers } from './viewer.ts';

/** How long the count and the page of a list may take each, in milliseconds: filters can be made to be slow. */
const LIST_TIMEOUT = 5_000;

/** What a list asks for, resolved (`scim/messages.ts`). */
export interface Listing {
  readonly filter?: FilterNode | undefined;
  readonly sortBy?: AttributePath | undefined;
  readonly sortOrder: 'ascending' | 'descending';
  /** 1-based. */
  readonly startIndex: number;
  readonly count: number;
}

export interface Page<Row> {
  readonly total: number;
  readonly rows: Row[];
}

/** One page of the users that the viewer may see, in a stable order; `groups` only when they are wanted. */
export function listUsers(
  db: Database,
  viewer: Viewer,
  listing: Listing,
  { baseUrl, groups }: { baseUrl: string; groups: boolean },
): Promise<Page<UserRow>> {
  return readPage<UserRow>(db, listing, {
    target: { type: USER_TYPE, tenantId: viewer.tenantId, directoryId: viewer.directoryId, baseUrl },
    from: sql`scim_user u`,
    alias: sql`u`,
    where: visibleUsers(viewer),
    columns: sql`u.id, u.directory_id is not null as managed, u.version, u.active, u.created_at, u.updated_at, u.body,
      ${groups ? sql.raw(groupsOfUser('u.seen_from')) : sql`null`} as groups`,
    stable: sql`u.id`,
  });
}

/** One page of the groups that the viewer may see, in a stable order; no member is read unless wanted. */
export function listGroups(
  db: Database,
  viewer: Viewer,
  listing: Listing,
  { baseUrl, members }: { baseUrl: string; members: boolean },
): Promise<Page<GroupRow>> {
  return readPage<GroupRow>(db, listing, {
    target: { type: GROUP_TYPE, tenantId: viewer.tenantId, directoryId: viewer.directoryId, baseUrl },
    from: sql`scim_group g`,
    alias: sql`g`,
    where: visibleGroups(viewer),
    columns: sql`g.id, g.version, g.created_at, g.updated_at, g.body,
      ${members ? sql.raw(MEMBERS_OF_GROUP) : sql`null`} as members`,
    stable: sql`g.id`,
  });
}

interface Source {
  readonly target: Target;
  readonly from: RawBuilder<unknown>;
  readonly alias: RawBuilder<unknown>;
  readonly where: RawBuilder<boolean>;
  readonly columns: RawBuilder<unknown>;
  /** Breaks ties, and is the order when none is asked for: ids (UUIDv7) are in the order of creation. */
  readonly stable: RawBuilder<unknown>;
}

/** Count and page, in one wait. */
async function readPage<Row>(db: Database, listing: Listing, source: Source): Promise<Page<Row>> {
  const { filter, startIndex, count } = listing;
  const where = filter ? sql`${source.where} and ${filterCondition(filter, source.target)}` : source.where;
  const total = sql`select count(*) as total from ${source.from} where ${where}`;
  const order = ordering(listing, source);
  // The page first, then its columns: PostgreSQL would also work out the groups and members of skipped rows.
  const page = sql`select ${source.columns}
    from (select *, ${source.target.directoryId}::uuid as seen_from from ${source.from} where ${where}
          order by ${order} limit ${count} offset ${startIndex - 1}) as ${source.alias}
    order by ${order}`;
  const [, [counted], rows] = await pipeline(db, [
    compiled<unknown>(sql`set local statement_timeout = ${sql.lit(LIST_TIMEOUT)}`.compile(db.kysely)),
    compiled<{ total: number }>(total.compile(db.kysely)),
    compiled<Row>((count === 0 ? sql`select where false` : page).compile(db.kysely)),
  ]);
  return { total: counted?.total ?? 0, rows };
}

/** RFC 7644 section 3.4.2.3: without a value last when ascending, first when descending. */
function ordering({ sortBy, sortOrder }: Listing, { target, stable }: Source): RawBuilder<unknown> {
  if (!sortBy) return stable;
  const direction = sortOrder === 'descending' ? sql`desc nulls first` : sql`asc nulls last`;
  return sql`${sortValue(sortBy, target)} ${direction}, ${stable}`;
}

/** The value that a resource sorts by: of a multi-valued attribute the primary one, else the first. */
function sortValue(path: AttributePath, target: Target): RawBuilder<unknown> {
  const operand = operandOf(path, target);
  if (operand) return operand.sql;
  const { from, where = sql`true`, operand: part, order } = elementsOf(path, target);
  return sql`(select ${part(path.subAttribute).sql} from ${from} where ${where} order by ${order} limit 1)`;
}
