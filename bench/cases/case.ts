import type { Floor } from '../anchors/statements.ts';
import type { Contestant, Directory } from '../contestant.ts';
import type { Scale } from '../options.ts';
import { groupNamed, type MeasuredGroup } from '../population.ts';
import type { Entry } from '../rounds.ts';
import type { Tenant } from '../service.ts';
import type { Workload } from '../workload.ts';

/** What is measured, of one directory and one group of it. */
export interface Point {
  readonly users: number;
  readonly members?: number;
}

interface AnyCase {
  /** What `--only` and the files of results say. */
  readonly name: string;
  readonly title: string;
  /** Also of a quick run. */
  readonly quick?: true;
  points(scale: Scale): readonly Point[];
  /** Those of the scale that make sense here. */
  connections(scale: Scale): readonly number[];
  /** How long a slice takes where that is not what the scale says, in milliseconds. */
  readonly takes?: number;
  /** Which of the anchors does the least that this could be. */
  readonly floor?: Floor;
}

/** A case that every SCIM service can be asked. */
export interface ScimCase extends AnyCase {
  readonly of: 'scim';
  prepare(directory: Directory, point: Point): Workload | Promise<Workload>;
}

/** A case that nobody else has. */
export interface OwnCase extends AnyCase {
  readonly of: 'rollcall';
  /** Why not. */
  readonly others: string;
  prepare(tenant: Tenant, point: Point): Workload | Promise<Workload>;
}

/** A case in which the service is compared with itself, under other circumstances. */
export interface ComparedCase extends AnyCase {
  readonly of: 'rollcall';
  readonly others: string;
  /** Sizes of the directories that it is compared with. */
  besides?(scale: Scale): readonly number[];
  /** @param tenants of every size */
  compare(tenant: Tenant, tenants: readonly Tenant[]): Entry[] | Promise<Entry[]>;
}

/** The service under other circumstances, as an anchor of itself. */
export const named = (contestant: Contestant, circumstances: string): Contestant => ({
  ...contestant,
  name: `${contestant.name}, ${circumstances}`,
  kind: 'anchor',
});

export type Case = ScimCase | OwnCase | ComparedCase;

export const everyDirectory = ({ users }: Scale): Point[] => users.map((each) => ({ users: each }));

export const everyConnections = ({ connections }: Scale) => connections;
export const one = () => [1];

/** What is asked of everybody, in every directory and at every number of connections. */
export const everywhere = { of: 'scim', points: everyDirectory, connections: everyConnections } as const;

export const largest = ({ users }: Scale): number => Math.max(...users);

/** Every size of groups, in the largest directory. */
export function everyGroup(scale: Scale): Required<Point>[] {
  const users = largest(scale);
  return scale.members.filter((members) => members <= users).map((members) => ({ users, members }));
}

/** Every size of directories that these cases ask for. */
export const sizesOf = (cases: readonly Case[], scale: Scale): number[] => [
  ...new Set(
    cases.flatMap((each) => [
      ...('besides' in each ? (each.besides?.(scale) ?? []) : []),
      ...each.points(scale).map(({ users }) => users),
    ]),
  ),
];

export const groupOf = ({ population }: Directory, { members }: Point): MeasuredGroup =>
  groupNamed(population, `Members ${members}`);
