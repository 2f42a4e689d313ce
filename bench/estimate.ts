import type { Case } from './cases/case.ts';
import type { Scale } from './options.ts';

/** How long a run takes, before it is known: for those who wait. */

/** In milliseconds, measured on two cores. */
const COSTS = {
  /** Around a slice: until the server rests, and whether what was written is there. */
  aroundSlice: 350,
  /** Of a user, in the service, the anchors and each of the peers. */
  loadUser: 0.1,
  start: 15_000,
} as const;

interface Run {
  readonly cases: readonly Case[];
  readonly scale: Scale;
  readonly peers: number;
}

function slicesOf(each: Case, { scale, peers }: Omit<Run, 'cases'>): number {
  const others = each.of === 'scim' ? peers : 'compare' in each ? 1 : 0;
  const anchors = each.floor === undefined ? 0 : 2;
  const rounds = each.connections(scale).length * scale.rounds + 1;
  return each.points(scale).length * rounds * (1 + others + anchors);
}

/** How many slices there will be. */
export const countSlices = ({ cases, ...run }: Run): number =>
  cases.reduce((sum, each) => sum + slicesOf(each, run), 0);

/** How long it takes, in milliseconds; `own` are the sizes of the directories of the service. */
export function estimate({ cases, ...run }: Run, own: readonly number[]): number {
  const { scale, peers } = run;
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  const loaded = sum(own) + sum(scale.users) * (1 + peers);
  const measured = cases.map(
    (each) => slicesOf(each, run) * ((each.takes ?? scale.slice) + COSTS.aroundSlice),
  );
  return COSTS.start + loaded * COSTS.loadUser + sum(measured);
}
