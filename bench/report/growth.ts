import type { Row } from './rows.ts';
import { figure, layOut, whole } from './table.ts';

/** How the time of a request grows with the directory, or with the group, as one connection sees it. */
export interface Growth {
  readonly case: string;
  readonly title: string;
  readonly contestant: string;
  readonly of: 'users' | 'members';
  /** From the smallest; milliseconds. */
  readonly sizes: readonly { readonly size: number; readonly p50: number }[];
}

/** Of the service and its peers, at the fewest connections; what failed anywhere is left out. */
export function growthsOf(rows: readonly Row[]): Growth[] {
  const fewest = Math.min(...rows.map(({ connections }) => connections));
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.kind === 'anchor' || row.connections !== fewest) continue;
    const key = `${row.case} ${row.contestant}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].flatMap((own) => {
    const [first] = own;
    if (!first || own.length < 2 || own.some(({ fault }) => fault !== undefined)) return [];
    const of = first.members === undefined ? 'users' : 'members';
    const sizes = own.flatMap(({ figures, ...row }) =>
      figures ? [{ size: row[of] ?? row.users, p50: figures.p50 }] : [],
    );
    if (sizes.length < 2) return [];
    return [{ case: first.case, title: first.title, contestant: first.contestant, of, sizes }];
  });
}

/** A row each: the time at every size, and how many times the smallest the largest takes. */
export function growthTable(growths: readonly Growth[]): string {
  const cells = growths.map(({ title, contestant, of, sizes }) => {
    const steps = sizes.map(({ size, p50 }) => `${whole(size)}: ${figure(p50)}`).join(' → ');
    const factor = (sizes.at(-1)?.p50 ?? Number.NaN) / (sizes[0]?.p50 ?? Number.NaN);
    return [title, contestant, of, steps, `${figure(factor)} ×`];
  });
  const columns = ['', '', 'of', 'p50 ms', 'growth'].map((head) => ({ head, align: 'left' }) as const);
  return `How cost grows with size\n${layOut(columns, cells)}`;
}
