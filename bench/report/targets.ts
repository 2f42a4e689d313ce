import { WAL } from '../cases/mapping.ts';
import type { Row } from './rows.ts';
import { figure } from './table.ts';

/** What the service is to reach, and whether a run shows that it does: a line each, computed from its rows. */

/** One bound, and the figure that it is about. */
interface Bound {
  /** As the table says it, without the bound itself. */
  readonly of: string;
  readonly case: string;
  /** The rows that it is about are these alone. */
  readonly where: Partial<Row>;
  /** Which figure of such a row. */
  figure(row: Row): number | undefined;
  readonly unit: string;
  readonly least?: number;
  readonly most?: number;
}

interface Target {
  readonly title: string;
  readonly must: readonly Bound[];
  readonly stretch: readonly Bound[];
}

const USERS = 100_000;
const MAPPED = 1_000_000;

/** How often the rate of another contestant the service reaches. */
const times = (name: string, contestant: string, connections: number, least: number): Bound => ({
  of: `${contestant}, c=${connections}`,
  case: name,
  where: { users: USERS, contestant, connections },
  figure: ({ figures }) => figures?.ratio,
  unit: '×',
  least,
});

/** How many times its own time the service takes beside another circumstance. */
const growth = (name: string, of: string, time: 'p50Ratio' | 'p99Ratio', most: number): Bound => ({
  of,
  case: name,
  where: { kind: 'anchor' },
  figure: ({ figures }) => figures?.[time],
  unit: '×',
  most,
});

const inLargest = (bound: Bound, where: Partial<Row> = { users: USERS }): Bound => ({
  ...bound,
  where: { ...bound.where, ...where },
});

/** The time of the service, in seconds. */
const seconds = (name: string, of: string, where: Partial<Row>, most: number): Bound => ({
  of,
  case: name,
  where: { kind: 'service', ...where },
  figure: ({ figures }) => figures && figures.p50 / 1_000,
  unit: 's',
  most,
});

const replacements = (same: number, some: number, all: number): Bound[] =>
  (
    [
      ['same', 'the same', same],
      ['some', '1 % others', some],
      ['all', 'all others', all],
    ] as const
  ).map(([name, of, most]) => seconds(`group-replace-${name}`, of, { members: USERS }, most));

const filters = (most: number): Bound[] =>
  ['user-name', 'external-id', 'work-email'].map((name) =>
    inLargest(growth(`growth-filter-${name}`, name, 'p50Ratio', most)),
  );

const failures: Bound = {
  of: 'failures',
  case: 'group-crowd',
  where: { users: USERS, kind: 'service' },
  figure: ({ figures }) => figures?.failures,
  unit: '',
  most: 0,
};

const wal: Bound = {
  of: 'WAL a user',
  case: 'mapping-change',
  where: { users: MAPPED, kind: 'service' },
  figure: ({ figures }) => figures?.also?.[WAL],
  unit: 'B',
  most: 350,
};

const mapped = (most: number) => seconds('mapping-change', 'p50', { users: MAPPED }, most);
const grown = (most: number) =>
  inLargest(growth('growth-group-patch', 'p50', 'p50Ratio', most), { members: USERS });
const deep = (by: string, most: number) => inLargest(growth(`growth-list-${by}`, by, 'p50Ratio', most));

/** "1.0 ×": more than that by what two medians of the same differ. */
const SAME = 1.05;
const EVERY_C = [1, 8, 32];

const TARGETS: readonly Target[] = [
  {
    title: 'GET a user, to a prepared select behind bare Fastify',
    must: EVERY_C.map((c) => times('get-user', 'floor', c, 0.9)),
    stretch: [times('get-user', 'floor', 32, 2)],
  },
  {
    title: 'GET a user, to its peers',
    must: [times('get-user', 'saml-jackson', 8, 4), times('get-user', 'better-auth', 8, 12)],
    stretch: [times('get-user', 'saml-jackson', 32, 10), times('get-user', 'better-auth', 32, 30)],
  },
  {
    title: 'POST a user, to one insert behind bare Fastify',
    must: EVERY_C.map((c) => times('post-user', 'floor', c, 0.8)),
    stretch: [times('post-user', 'floor', 32, 1.8)],
  },
  {
    title: 'POST a user, to saml-jackson',
    must: EVERY_C.map((c) => times('post-user', 'saml-jackson', c, 7)),
    stretch: [times('post-user', 'saml-jackson', 32, 20)],
  },
  {
    title: 'one member more or less, in a group of 100,000 to one of 10',
    must: [grown(1.2)],
    stretch: [grown(1.05)],
  },
  {
    title: '32 PATCHes at a time on one group, to one statement a request behind bare Fastify',
    must: [failures],
    stretch: [times('group-crowd', 'floor', 32, 5)],
  },
  {
    title: 'replace 100,000 members',
    must: replacements(0.4, 0.6, 4),
    stretch: replacements(0.25, 0.4, 2.5),
  },
  {
    title: 'a mapping change over 1,000,000 users: the role of each',
    must: [mapped(6), wal],
    stretch: [mapped(3)],
  },
  { title: '`eq` filter, 100,000 users to 1,000, p50', must: filters(1.2), stretch: filters(SAME) },
  {
    title: 'a deep page to the first, 100,000 users, p50',
    must: [deep('index', 3)],
    stretch: [deep('cursor', SAME)],
  },
  {
    title:
      "one tenant's flood, 4,000 connections that want ten times its limit: another's p99 with it to without",
    must: ['get', 'post'].map((name) => growth(`beside-flood-${name}`, name, 'p99Ratio', 1.5)),
    stretch: [],
  },
];

const boundsOf = ({ must, stretch }: Target) => [...must, ...stretch];

/** The cases that the targets are computed from. */
export const TARGET_CASES: ReadonlySet<string> = new Set(
  TARGETS.flatMap(boundsOf).map((bound) => bound.case),
);

type Verdict = 'met' | 'missed' | 'not measured';

interface Answer {
  readonly said: string;
  readonly verdict: Verdict;
}

/** What the rows say of a bound. Where something failed, it is missed. */
function answerOf(bound: Bound, rows: readonly Row[]): Answer {
  const isMeant = (row: Row) =>
    row.case === bound.case &&
    Object.entries(bound.where).every(([name, value]) => row[name as keyof Row] === value);
  const own = rows.filter(({ case: name }) => name === bound.case);
  const row = own.find(isMeant);
  if (!row || row.cannot !== undefined) return { said: `${bound.of}: not measured`, verdict: 'not measured' };
  const place = (each: Row) =>
    each.users === row.users && each.members === row.members && each.connections === row.connections;
  const failed = own.some(
    (each) => place(each) && (each === row || each.kind === 'service') && each.fault !== undefined,
  );
  const value = bound.figure(row);
  if (failed || value === undefined) return { said: `${bound.of}: INVALID`, verdict: 'missed' };
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = bound;
  const isMet = value >= least && value <= most;
  const said = value === 0 ? '0' : figure(value);
  return { said: `${bound.of}: ${[said, bound.unit].join(' ').trim()}`, verdict: isMet ? 'met' : 'missed' };
}

/** Missed where one is, and not met before all are measured. */
function together(verdicts: readonly Verdict[]): Verdict | '' {
  if (verdicts.length === 0) return '';
  return (['missed', 'not measured'] as const).find((each) => verdicts.includes(each)) ?? 'met';
}

const wanted = (bounds: readonly Bound[]) =>
  bounds
    .map(
      ({ of, least, most, unit }) =>
        `${of} ${least === undefined ? '≤' : '≥'} ${[least ?? most, unit].join(' ').trim()}`,
    )
    .join('<br>');

/** The targets as a table of Markdown. */
export function targetTable(rows: readonly Row[]): string {
  const lines = TARGETS.map((target) => {
    const { title, must, stretch } = target;
    const verdictOf = (bounds: readonly Bound[]) =>
      together(bounds.map((bound) => answerOf(bound, rows).verdict));
    const measured = new Set(boundsOf(target).map((bound) => answerOf(bound, rows).said));
    const cells = [title, wanted(must), wanted(stretch), [...measured].join('<br>')];
    return `| ${[...cells, verdictOf(must), verdictOf(stretch)].join(' | ')} |`;
  });
  return [
    '| | must | stretch | measured | must is | stretch is |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
