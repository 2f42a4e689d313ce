import { type RawBuilder, sql } from 'kysely';
import { instantText } from '../db/instant.ts';
import type { AttributePath } from '../scim/types.ts';
import { behind, ordering, type Place, reversed, sortTerm, type Term } from './order.ts';
import type { Source } from './sources.ts';

/** The SQL of one page over the sources of one or several types. */

/** What a page takes of one source. */
export interface Part {
  readonly source: Source;
  /** The rows of the source, or those of them that were found by hash. */
  readonly from: RawBuilder<unknown>;
  /** What is visible and matches. */
  readonly where: RawBuilder<boolean>;
  readonly sortBy: AttributePath | undefined;
  /** Whether what belongs to the rows is read too. */
  readonly related: boolean;
}

/** A row of any type; `related` is comma-joined text, null: none, or not asked for. */
export interface ListedRow {
  /** The index of its type in the query. */
  readonly rank: number;
  /** The id. */
  readonly key: string;
  /** What it is sorted by. */
  readonly sort_key: string | null;
  readonly managed: boolean | null;
  readonly version: number | null;
  readonly active: boolean | null;
  /** ISO 8601 in UTC, as `updated_at` is. */
  readonly created_at: string | null;
  readonly updated_at: string | null;
  readonly body: string;
  /** How many bytes the bodies of the whole page have; beyond `MAX_PAGE_BYTES` none is told. */
  readonly bytes: number;
  readonly related: string | null;
  /** How many related rows the whole page has; beyond `MAX_RELATED` none is told. */
  readonly relations: number;
}

/** So many members, or groups of users, may a page have. */
export const MAX_RELATED = 500_000;

/** So many bytes may the resources of a page have, without what is spliced in. */
export const MAX_PAGE_BYTES = 32 * 1024 * 1024;

/** The order of a query: by columns of `ListedRow`, in each source by its terms for them. */
export interface Order {
  readonly columns: readonly ('sort_key' | 'rank' | 'key')[];
  readonly sources: readonly (readonly Term[])[];
  readonly sortType: Term['type'];
  readonly descending: boolean;
}

/** By the attribute, then by type, then by id: the same order whenever it is asked for. */
export function orderOf(parts: readonly Part[], descending: boolean): Order {
  const sorts = parts.map(({ source, sortBy }) => sortBy && sortTerm(sortBy, source.target, descending));
  const types = new Set(sorts.flatMap((term) => term?.type ?? []));
  const sortType = types.size === 1 ? ([...types][0] ?? 'text') : 'text';
  const byId = parts.every(({ sortBy }) => sortBy?.attribute.name === 'id' && !sortBy.extension);
  const many = parts.length > 1;
  const columns = [
    ...(types.size > 0 && !byId ? (['sort_key'] as const) : []),
    ...(byId && many ? (['key', 'rank'] as const) : many ? (['rank', 'key'] as const) : (['key'] as const)),
  ];
  const sources = parts.map(({ source: { id } }, rank) => {
    const terms: Record<Order['columns'][number], Term> = {
      sort_key: inType(sorts[rank], sortType, descending),
      rank: { ...RANK, constant: rank },
      // Compared between types it is text, as the names of roles are.
      key: { ...(byId && many ? asText(id.sql) : id), descending: byId && descending, required: true },
    };
    return columns.map((column) => terms[column]);
  });
  return { columns, sources, sortType, descending };
}

const RANK: Term = { sql: sql`p.rank`, type: 'integer', descending: false, required: true };

function inType(term: Term | undefined, type: Term['type'], descending: boolean): Term {
  if (!term) return { sql: sql`null::${sql.raw(type)}`, type, descending, required: false };
  return term.type === type ? term : { ...term, ...asText(term.sql) };
}

function asText(value: RawBuilder<unknown>): Pick<Term, 'sql' | 'type'> {
  return { sql: sql`(${value})::text collate "C"`, type: 'text' };
}

/** The place of a row in the order. */
export function placeOf({ columns }: Order, row: ListedRow): Place {
  return columns.map((column) => {
    const value = row[column];
    return value === null ? null : String(value);
  });
}

/** Which rows a page has: some behind a place, or from its end. */
export interface Window {
  readonly backward: boolean;
  readonly place: Place | undefined;
  readonly inclusive: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** How many rows match. */
export function countRows(parts: readonly Part[]): RawBuilder<{ total: number }> {
  const counts = parts.map(({ from, where }) => sql`(select count(*) from ${from} where ${where})`);
  return sql`select ${sql.join(counts, sql` + `)} as total`;
}

/**
 * The rows of a window: first their places in the order, and only then the rows, which are long: of a deep page all
 * those before it are passed, and perhaps sorted. Of what is related to them, `count` rows have it read: the last may
 * only show that there is more.
 */
export function selectPage(
  parts: readonly Part[],
  order: Order,
  window: Window,
  count: number,
): RawBuilder<ListedRow> {
  const outer = ordering(turned(outerTerms(order), window));
  const related = parts.flatMap((part, rank) => (part.related ? relatedTo(part.source, rank) : []));
  const page = sql`with page as materialized (
      select p.*, y.* from (${selectPlaces(parts, order, window)}) as p cross join lateral (${rowsOf(parts)}) as y
    )`;
  if (related.length === 0)
    return sql`${page} select ${COLUMNS}, ${sortKey(order)} as sort_key,
      null as related, 0 as relations from page as p order by ${outer}`;
  // `offset 0` keeps the planner from joining whole tables: it would read more members than a page may have.
  return sql`${page}, related as (
      select rank, key, string_agg(item, ',' order by item_id) as items, count(*) as amount
      from (select p.rank, p.key, m.item, m.item_id
            from (select * from page as p order by ${outer} limit ${count}) as p
            cross join lateral (${sql.join(related, sql` union all `)} offset 0) as m
            limit ${MAX_RELATED + 1}) as bounded
      group by rank, key
    ), weight as (
      select coalesce(sum(amount), 0)::bigint as relations from related
    )
    select ${COLUMNS}, ${sortKey(order)} as sort_key,
           case when w.relations <= ${MAX_RELATED} then r.items end as related, w.relations
    from page as p cross join weight as w left join related as r on r.rank = p.rank and r.key = p.key
    order by ${outer}`;
}

// The length of a large text is read without the text.
const BYTES = sql`sum(octet_length(p.body)) over ()`;
const COLUMNS = sql`p.rank, p.key, p.managed, p.version, p.active,
  ${sql.raw(instantText('p.created_at'))} as created_at, ${sql.raw(instantText('p.updated_at'))} as updated_at,
  case when ${BYTES} <= ${sql.lit(MAX_PAGE_BYTES)} then p.body end as body, (${BYTES})::bigint as bytes`;

/** Text that comes back as the same value, whatever the session's settings are. */
function sortKey({ sortType }: Order): RawBuilder<unknown> {
  return sortType === 'timestamptz'
    ? sql`to_char(p.sort_value at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    : sql`p.sort_value::text`;
}

/** The first row of a window's order: whether there is one. */
export function selectNeighbour(
  parts: readonly Part[],
  order: Order,
  window: Window,
): RawBuilder<{ rank: number }> {
  return sql`select rank from (${selectPlaces(parts, order, window)}) as p`;
}

/** The row of the place `p`, looked up by its key; of a source whose place it is not, none. */
function rowsOf(parts: readonly Part[]): RawBuilder<unknown> {
  const rows = parts.map(
    ({ source: { columns, from, isAt } }, rank) =>
      sql`(select ${columns} from ${from} where ${isAt} and p.rank = ${sql.lit(rank)} offset 0)`,
  );
  return sql.join(rows, sql` union all `);
}

/**
 * The places of a window: `rank`, `key`, `uuid` and `sort_value`. One `order by … limit` in each source, so that none
 * gives more than the page takes, and one over all.
 */
function selectPlaces(parts: readonly Part[], order: Order, window: Window): RawBuilder<unknown> {
  const { limit, offset } = window;
  const [only, ...others] = parts.map((part, rank) => ({ part, rank, terms: order.sources[rank] ?? [] }));
  if (only && others.length === 0) {
    return selectFrom(only, order, window, sql`limit ${limit} offset ${offset}`);
  }
  const all = [only, ...others].flatMap((each) =>
    each ? sql`(${selectFrom(each, order, window, sql`limit ${limit + offset}`)})` : [],
  );
  return sql`select * from (${sql.join(all, sql` union all `)}) as p
    order by ${ordering(turned(outerTerms(order), window))} limit ${limit} offset ${offset}`;
}

interface OrderedPart {
  readonly part: Part;
  readonly rank: number;
  readonly terms: readonly Term[];
}

function selectFrom(
  { part, rank, terms }: OrderedPart,
  order: Order,
  window: Window,
  limit: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const { source, from, where } = part;
  const inOrder = turned(terms, window);
  const sorted = terms[order.columns.indexOf('sort_key')];
  const uuid = source.id.type === 'uuid' ? sql`p.id` : sql`null::uuid`;
  const within = window.place ? sql`${where} and ${behind(inOrder, window.place, window.inclusive)}` : where;
  // Outside, so that of ids that are passed none is written as text: that takes as long as passing them.
  return sql`select ${sql.lit(rank)}::integer as rank, p.id::text collate "C" as key, ${uuid} as uuid, p.sort_value
    from (select ${source.id.sql} as id, ${sorted ? sorted.sql : sql`null::text`} as sort_value
          from ${from} where ${within}
          order by ${ordering(inOrder.filter(({ constant }) => constant === undefined))} ${limit}) as p`;
}

function turned(terms: readonly Term[], { backward }: Window): readonly Term[] {
  return backward ? reversed(terms) : terms;
}

/** The order by the columns of the selected rows, called `p`. */
function outerTerms({ columns, sortType, descending }: Order): Term[] {
  const byId = columns[0] === 'key';
  const terms: Record<Order['columns'][number], Term> = {
    sort_key: { sql: sql`p.sort_value`, type: sortType, descending, required: false },
    rank: RANK,
    key: { sql: sql`p.key`, type: 'text', descending: byId && descending, required: true },
  };
  return columns.map((column) => terms[column]);
}

function relatedTo({ related }: Source, rank: number): RawBuilder<unknown>[] {
  return related ? [sql`(${related} and p.rank = ${sql.lit(rank)})`] : [];
}
