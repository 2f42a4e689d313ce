import { setImmediate } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import { LIMIT_TIME, LIST_TIMEOUT } from '../db/bounded.ts';
import { isTimeout } from '../db/constraints.ts';
import type { Database } from '../db/database.ts';
import { compiled, type Step, statement, step } from '../db/statement.ts';
import { inTurn, pipeline, runAlone } from '../db/transaction.ts';
import { badRequest } from '../scim/error.ts';
import type { AttributePath, FilterNode, ResourceType } from '../scim/types.ts';
import { filterCondition, isFoundByHash } from './filter-sql.ts';
import type { Place } from './order.ts';
import {
  countRows,
  type ListedRow,
  MAX_PAGE_BYTES,
  MAX_RELATED,
  type Order,
  orderOf,
  type Part,
  placeOf,
  selectNeighbour,
  selectPage,
  type Window,
} from './page-sql.ts';
import { type Source, type Standpoint, sourceOf } from './sources.ts';

/** What a list asks for, resolved (`scim/query.ts`). */
export interface Listing {
  readonly types: readonly ListedType[];
  readonly sortOrder: 'ascending' | 'descending';
  readonly count: number;
  /** A 1-based index, or the turn that a page before said. */
  readonly page: { readonly startIndex: number } | Turn;
}

export interface ListedType {
  readonly type: ResourceType;
  readonly filter?: FilterNode | undefined;
  readonly sortBy?: AttributePath | undefined;
  /** Whether a User's groups or a Group's members are wanted; otherwise none is read. */
  readonly related: boolean;
}

/** From which place on a page goes, and where to; without a place from the end that it comes from. */
export interface Turn {
  readonly backward: boolean;
  readonly place?: Place | undefined;
}

/** One page, in a stable order; where it was read by a turn, with the turns to its neighbours that have rows. */
export interface Page {
  readonly total: number;
  readonly rows: readonly ListedRow[];
  readonly next?: Turn | undefined;
  readonly previous?: Turn | undefined;
}

/**
 * One page of what the viewer may see, in one wait. Throws tooMany when the database would take too long, and when
 * the rows have more members than one answer may have.
 */
export async function listResources(db: Database, standpoint: Standpoint, listing: Listing): Promise<Page> {
  const plan = planOf(standpoint, listing);
  const steps = listSteps(db, plan);
  // A filter of 500 terms takes milliseconds to become SQL, each time: others may go between.
  const count = steps.count();
  await setImmediate();
  const page = steps.page();
  await setImmediate();
  // Filters can be made to be slow: the count and the page have their time each.
  const send = () => pipeline(db, [LIMIT_TIME, count, page, steps.neighbour()]);
  const sent = listing.types.some(isBroad) ? inTurn(db.broadTurns, plan.tenantId, send) : send();
  const [, [counted], found, neighbours] = await sent.catch((error: unknown) => {
    throw isTimeout(error) ? tooSlow() : error;
  });
  const total = counted?.total ?? 0;
  if ((found[0]?.relations ?? 0) > MAX_RELATED) throw tooManyRelated(listing);
  if ((found[0]?.bytes ?? 0) > MAX_PAGE_BYTES) throw tooManyBytes();
  if ('startIndex' in listing.page) return { total, rows: found };
  return { total, ...turnsOf(plan, found, neighbours.length > 0) };
}

/** The resource of a type that has this id and that the viewer may see. */
export async function findResource(
  db: Database,
  standpoint: Standpoint,
  type: ResourceType,
  id: string,
): Promise<ListedRow | undefined> {
  const source = sourceOf(type, standpoint);
  const [attribute] = type.schema.attributes.filter(({ name }) => name === 'id');
  if (!attribute) throw new Error(`the schema of ${type.name} has no id`);
  const named: FilterNode = { kind: 'compare', path: { attribute }, operator: 'eq', value: id, literal: id };
  const parts = [{ source, ...matching(source, named), sortBy: undefined, related: false }];
  const query = selectPage(parts, orderOf(parts, false), { ...FIRST, limit: 1 }, 1);
  const [row] = await runAlone(
    db,
    compiledWith(db, standpoint.viewer.tenantId, { narrow: true })<ListedRow>(query),
  );
  return row;
}

const FIRST: Window = { backward: false, place: undefined, inclusive: false, offset: 0, limit: 0 };

export interface Plan {
  readonly tenantId: string;
  readonly parts: readonly Part[];
  readonly order: Order;
  readonly count: number;
  readonly window: Window;
  /** Whether it asks for one key or hash: a few rows, and what clients ask most. */
  readonly narrow: boolean;
  /** What lies on the other side of the place that a turn goes from. */
  readonly neighbour: Window | undefined;
}

/** The SQL that a list comes to. */
export function planOf(standpoint: Standpoint, { types, sortOrder, count, page }: Listing): Plan {
  const parts = types.map(({ type, filter, sortBy, related }) => {
    const source = sourceOf(type, standpoint);
    return { source, ...matching(source, filter), sortBy, related };
  });
  const order = orderOf(parts, sortOrder === 'descending');
  const { tenantId } = standpoint.viewer;
  if ('startIndex' in page) {
    const window = { ...FIRST, offset: page.startIndex - 1, limit: count };
    const narrow = types.every((each) => asksForKey(each) || asksForHash(each));
    return { tenantId, parts, order, count, window, narrow, neighbour: undefined };
  }
  const window = { ...FIRST, ...page, place: page.place, limit: count === 0 ? 0 : count + 1 };
  const around = page.place && { ...window, backward: !page.backward, inclusive: true, limit: 1 };
  return { tenantId, parts, order, count, window, narrow: false, neighbour: around };
}

/**
 * The rows of a source that are visible and match. What finds them by hash stands behind `offset 0`, and what is visible
 * outside: PostgreSQL expects 0.5 % of all users of a hash, whatever it is, and would read an index of the whole tenant
 * beside to have fewer of them. Beside what has a key of its own that finds it, however many have the hash.
 */
function matching(source: Source, filter: FilterNode | undefined): Pick<Part, 'from' | 'where'> {
  const { from, visible, target } = source;
  if (!filter) return { from, where: visible };
  const matches = filterCondition(filter, target);
  const byKey = filter.kind === 'and' && filter.filters.some((each) => isKey(each, target.type));
  if (byKey || !isFoundByHash(filter, target.type)) return { from, where: sql`${visible} and ${matches}` };
  return { from: sql`(select * from ${from} where ${matches} offset 0) as u`, where: visible };
}

/** More comparisons than that are broad, whatever they compare. */
const FEW_COMPARISONS = 10;

/** Whether its filter may look at all there is, or at much of each: 200 texts that `co` looks for take half a second. */
function isBroad({ filter }: ListedType): boolean {
  return filter !== undefined && comparisonsIn(filter) > FEW_COMPARISONS;
}

function comparisonsIn(filter: FilterNode): number {
  switch (filter.kind) {
    case 'constant':
    case 'present':
      return 0;
    case 'compare':
      return filter.operator === 'eq' ? 1 : Number.POSITIVE_INFINITY;
    case 'and':
    case 'or':
      return filter.filters.reduce((sum, each) => sum + comparisonsIn(each), 0);
    case 'not':
    case 'element':
      return comparisonsIn(filter.filter);
  }
}

/** Attributes with an index of their own. Of others the best plan does with the value. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  User: ['id', 'userName', 'externalId'],
  Group: ['id', 'displayName', 'externalId'],
};

const isEqual = (filter: FilterNode): filter is Extract<FilterNode, { kind: 'compare' }> =>
  filter.kind === 'compare' && filter.operator === 'eq';

function isKey(filter: FilterNode, type: ResourceType): boolean {
  if (!isEqual(filter)) return false;
  const { attribute, subAttribute, extension } = filter.path;
  return !subAttribute && !extension && (KEYS[type.name] ?? []).includes(attribute.name);
}

function asksForKey({ type, filter, sortBy }: ListedType): boolean {
  return filter !== undefined && sortBy === undefined && isKey(filter, type);
}

/** `emails[type eq "work" and value eq "…"]` has two. With more there would be more shapes than are prepared. */
const MOST_COMPARISONS_OF_SHAPE = 2;

/**
 * Whether it asks for one hash, as identity providers do: an address, or one of a type, in no more spellings than there
 * are pairs of sub-attributes.
 */
function asksForHash({ type, filter, sortBy }: ListedType): boolean {
  if (filter === undefined || sortBy !== undefined || !isFoundByHash(filter, type)) return false;
  if (filter.kind !== 'element') return isEqual(filter);
  const { filter: inner } = filter;
  return inner.kind === 'and'
    ? inner.filters.length <= MOST_COMPARISONS_OF_SHAPE && inner.filters.every(isEqual)
    : isEqual(inner);
}

const NONE = step(statement<never>('no_rows', 'select where false'), []);

/** The statements of a list: the count, the page, and a row on the other side of the place that it goes from. */
export function listSteps(db: Database, plan: Plan) {
  const { tenantId, parts, order, count, window, narrow, neighbour } = plan;
  const compile = compiledWith(db, tenantId, { narrow });
  return {
    count: () => compile<{ total: number }>(countRows(parts)),
    page: () => (count === 0 ? NONE : compile<ListedRow>(selectPage(parts, order, window, count))),
    neighbour: () =>
      neighbour && count > 0 ? compile<unknown>(selectNeighbour(parts, order, neighbour)) : NONE,
  };
}

function compiledWith({ kysely }: Database, sender: string, shape: { readonly narrow: boolean }) {
  return <Row>(query: RawBuilder<unknown>): Step<Row> => compiled<Row>(query.compile(kysely), sender, shape);
}

/** The rows of a page by turn, and where it goes on: a turn is told where rows lie there. */
function turnsOf(
  { order, count, window: { place, backward } }: Plan,
  found: readonly ListedRow[],
  hasNeighbour: boolean,
): Omit<Page, 'total'> {
  const taken = found.slice(0, count);
  const rows = backward ? taken.reverse() : taken;
  const hasMore = found.length > count;
  const turn = (to: boolean, row: ListedRow | undefined): Turn => ({
    backward: to,
    ...(row && { place: placeOf(order, row) }),
  });
  const behindIt = place !== undefined && hasNeighbour;
  return {
    rows,
    next: (backward ? behindIt : hasMore) ? turn(false, rows.at(-1)) : undefined,
    previous: (backward ? hasMore : behindIt) ? turn(true, rows[0]) : undefined,
  };
}

function tooSlow(): Error {
  return badRequest(
    'tooMany',
    `The query took longer than ${LIST_TIMEOUT / 1000} seconds: ask for less, by a filter with eq on an attribute such as userName, externalId, id or emails.value`,
  );
}

function tooManyBytes(): Error {
  return badRequest(
    'tooMany',
    `The resources of this page have more than ${MAX_PAGE_BYTES} bytes together: ask for a smaller count`,
  );
}

const RELATED_NAMES: Readonly<Record<string, string>> = { User: 'groups', Group: 'members' };

function tooManyRelated({ types }: Listing): Error {
  const names = types.flatMap(({ type, related }) => (related && RELATED_NAMES[type.name]) || []);
  return badRequest(
    'tooMany',
    `The resources of this page have more than ${MAX_RELATED} ${names.join(' and ')} together: leave them out by excludedAttributes=${names.join()}, or ask for a smaller count`,
  );
}
