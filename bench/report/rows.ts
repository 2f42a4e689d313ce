import type { Case, Point } from '../cases/case.ts';
import type { Course, Measured } from '../rounds.ts';
import { median, ratioOf } from '../statistics.ts';

/** What one contestant reached at one point of a case. Times in milliseconds, CPU in microseconds a request. */
export interface Row {
  readonly case: string;
  readonly title: string;
  readonly users: number;
  readonly members?: number;
  readonly connections: number;
  readonly contestant: string;
  readonly kind: 'service' | 'anchor' | 'peer';
  /** Why nobody else is asked this. */
  readonly alone?: string;
  /** Why it takes no part here; then there are no figures. */
  readonly cannot?: string;
  /** The first thing that went wrong; the figures mean nothing then. */
  readonly fault?: string;
  readonly figures?: Figures;
}

export interface Figures {
  /** A second, each round. */
  readonly rates: readonly number[];
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
  readonly failures: number;
  readonly cpu?: { readonly own: number; readonly postgres: number; readonly generator: number };
  /** The service's rate over this one's; absent where one of them failed. */
  readonly ratio?: number;
  /** How many times this one's median time the service takes, and the same of what one in a hundred takes. */
  readonly p50Ratio?: number;
  readonly p99Ratio?: number;
  /** What else was counted, the medians of the rounds. */
  readonly also?: Readonly<Record<string, number>>;
}

/** Where something was measured. */
export interface Place extends Point {
  readonly connections: number;
}

/** The rows of a place, of those who took part. */
export function rowsOf(
  { name, title, others }: Pick<Case, 'name' | 'title'> & { readonly others?: string },
  place: Place,
  courses: readonly Course[],
): Row[] {
  const service = courses.find(({ contestant }) => contestant.kind === 'service');
  return courses.map((course) => {
    const { contestant, slices } = course;
    const fault = slices.find((slice) => slice.failures > 0)?.fault;
    return {
      case: name,
      title,
      ...place,
      ...(others !== undefined && { alone: others }),
      contestant: contestant.name,
      kind: contestant.kind,
      ...(fault !== undefined && { fault }),
      ...(slices.length > 0
        ? { figures: figuresOf(course, service) }
        : { cannot: 'did not answer fewer connections' }),
    };
  });
}

const rateOf = ({ count, failures, milliseconds }: Measured) => ((count - failures) / milliseconds) * 1_000;
const hasFailed = ({ slices }: Course) => slices.some(({ failures }) => failures > 0);

function figuresOf(course: Course, service: Course | undefined): Figures {
  const { slices } = course;
  const rates = slices.map(rateOf);
  const isFair = service && service !== course && !hasFailed(service) && !hasFailed(course);
  const ratio = isFair ? ratioOf(service.slices.map(rateOf), rates) : undefined;
  const timesRatio = (time: 'p50' | 'p99') => {
    const times = (course: Course) => course.slices.map((slice) => slice[time]);
    return isFair ? ratioOf(times(service), times(course)) : undefined;
  };
  const [p50Ratio, p99Ratio] = [timesRatio('p50'), timesRatio('p99')];
  const [cpu, also] = [cpuOf(slices), alsoOf(slices)];
  return {
    rates,
    rate: median(rates),
    p50: median(slices.map(({ p50 }) => p50)),
    p99: median(slices.map(({ p99 }) => p99)),
    max: Math.max(...slices.map(({ max }) => max)),
    count: slices.reduce((sum, { count }) => sum + count, 0),
    failures: slices.reduce((sum, { failures }) => sum + failures, 0),
    ...(cpu && { cpu }),
    ...(ratio !== undefined && { ratio }),
    ...(p50Ratio !== undefined && { p50Ratio }),
    ...(p99Ratio !== undefined && { p99Ratio }),
    ...(also && { also }),
  };
}

function alsoOf(slices: readonly Measured[]): Figures['also'] | undefined {
  const names = new Set(slices.flatMap(({ also = {} }) => Object.keys(also)));
  if (names.size === 0) return undefined;
  const medianOf = (name: string) => median(slices.flatMap(({ also }) => also?.[name] ?? []));
  return Object.fromEntries([...names].map((name) => [name, medianOf(name)]));
}

/** Over all rounds: a slice is short, and Linux counts in hundredths of a second. */
function cpuOf(slices: readonly Measured[]): Figures['cpu'] | undefined {
  let [own, postgres, generator, count] = [0, 0, 0, 0];
  for (const slice of slices) {
    if (slice.cpu.own === undefined || slice.cpu.postgres === undefined) return undefined;
    own += slice.cpu.own;
    postgres += slice.cpu.postgres;
    generator += slice.cpu.generator;
    count += slice.count;
  }
  if (count === 0) return undefined;
  return { own: own / count, postgres: postgres / count, generator: generator / count };
}
