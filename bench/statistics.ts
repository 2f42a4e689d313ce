/** Figures of slices and of rounds of slices. Milliseconds, unless said otherwise. */

export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The value below which this part of them lies (nearest rank); NaN of none. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const rank = Math.max(Math.ceil(sorted.length * part), 1);
  return sorted[rank - 1] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const half = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(half)] ?? Number.NaN;
  return ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2;
}

export function latencyOf(milliseconds: readonly number[]): Latency {
  const sorted = Float64Array.from(milliseconds).sort();
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) };
}

/**
 * How many times `ours` is `theirs`: the median of the ratios of each round, because the speed of a machine changes
 * from minute to minute and only figures of one round belong together. Undefined when they share no round.
 */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): number | undefined {
  const rounds = Math.min(ours.length, theirs.length);
  if (rounds === 0) return undefined;
  return median(ours.slice(0, rounds).map((value, round) => value / (theirs[round] ?? Number.NaN)));
}
