import type { Row } from './rows.ts';

/** The result as text: a table a case, and how cost grows with size. */

export interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
}

/** Lays cells out under their heads, as wide as the widest; the first column is text. */
export function layOut(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ head }, n) =>
    Math.max(head.length, ...rows.map((row) => (row[n] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, n) => {
        const [cell, width] = [cells[n] ?? '', widths[n] ?? 0];
        return align === 'left' ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(columns.map(({ head }) => head)), rule, ...rows.map(line)].join('\n');
}

/** Three figures that mean something: `12,300`, `45.1`, `0.123`. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '';
  if (value >= 100) return whole(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export const whole = (value: number) => value.toLocaleString('en');

/** `100,000 users, c=8`, or with the members of the group in place of the users. */
export function placeOf({
  users,
  members,
  connections,
}: Pick<Row, 'users' | 'members' | 'connections'>): string {
  const size = members === undefined ? `${whole(users)} users` : `${whole(members)} members`;
  return `${size}, c=${connections}`;
}

const COLUMNS: readonly Column[] = [
  { head: '', align: 'left' },
  { head: '', align: 'left' },
  { head: 'per s', align: 'right' },
  { head: 'p50 ms', align: 'right' },
  { head: 'p99 ms', align: 'right' },
  { head: 'rollcall ×', align: 'right' },
  { head: 'p50 ×', align: 'right' },
  { head: 'p99 ×', align: 'right' },
  { head: 'CPU µs', align: 'right' },
  { head: 'PostgreSQL µs', align: 'right' },
  { head: '', align: 'left' },
];

/** The table of each case: medians of the rounds; `rollcall ×` is how many times what this one does, `p50 ×` and `p99 ×` how many times its times. */
export function caseTables(rows: readonly Row[]): string {
  const cases = [...new Set(rows.map((row) => row.case))];
  return cases
    .map((name) => {
      const own = rows.filter((row) => row.case === name);
      const alone = own[0]?.alone === undefined ? [] : [`  Only rollcall: ${own[0].alone}`];
      const faults = own.flatMap(({ contestant, fault }) => (fault ? [`  ${contestant}: ${fault}`] : []));
      const table = layOut(COLUMNS, own.map(cellsOf));
      return [`${own[0]?.title} (${name})`, ...alone, table, ...own.flatMap(alsoOf), ...new Set(faults)].join(
        '\n',
      );
    })
    .join('\n\n');
}

/** What else was counted, a line each. */
const alsoOf = (row: Row) =>
  Object.entries(row.figures?.also ?? {}).map(
    ([name, value]) => `  ${placeOf(row)}, ${row.contestant}: ${name}: ${figure(value)}`,
  );

function cellsOf(row: Row, n: number, rows: readonly Row[]): string[] {
  const before = rows[n - 1];
  const place = before && placeOf(before) === placeOf(row) ? '' : placeOf(row);
  const { figures } = row;
  if (!figures) {
    const why = row.fault === undefined ? `cannot: ${row.cannot}` : 'INVALID: not measured';
    return [place, row.contestant, ...Array<string>(COLUMNS.length - 3).fill(''), why];
  }
  const { rate, p50, p99, ratio, p50Ratio, p99Ratio, cpu, failures, count } = figures;
  const fault = row.fault === undefined ? '' : `INVALID: ${failures} of ${count} failed`;
  const numbers = [rate, p50, p99, ratio, p50Ratio, p99Ratio, cpu?.own, cpu?.postgres].map(figure);
  return [place, row.contestant, ...numbers, fault];
}
