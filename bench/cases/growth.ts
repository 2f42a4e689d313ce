import type { Scale } from '../options.ts';
import { groupNamed } from '../population.ts';
import type { Entry } from '../rounds.ts';
import type { Tenant } from '../service.ts';
import type { Workload } from '../workload.ts';
import { type ComparedCase, everyGroup, largest, named, one } from './case.ts';
import { patchGroup } from './group.ts';
import { deepPage, deepPageByCursor, firstPage, firstPageByCursor } from './list.ts';
import { byExternalId, byUserName, byWorkEmail } from './read.ts';

/**
 * What size costs, side by side: the large beside the small in the same rounds, because the speed of a machine changes
 * between the points of a case.
 */

const base = {
  of: 'rollcall',
  others: 'it is compared with itself, where there is less',
  connections: one,
} as const;

type Prepare = (tenant: Tenant) => Workload | Promise<Workload>;

/** The one, and beside it the other that should take as long. */
async function entriesOf(
  tenant: Tenant,
  large: Workload | Promise<Workload>,
  [name, small]: readonly [string, Workload | Promise<Workload>],
): Promise<Entry[]> {
  const { contestant } = tenant;
  return [
    { contestant, workload: await large },
    { contestant: named(contestant, name), workload: await small },
  ];
}

const inLargest = (scale: Scale) => [{ users: largest(scale) }];

const SMALL_GROUP = 10;

const groups: ComparedCase = {
  ...base,
  name: 'growth-group-patch',
  title: `PATCH the largest group, and one of ${SMALL_GROUP}, one member more or less`,
  points: (scale) => everyGroup(scale).slice(-1),
  compare: (tenant) => {
    const of = (members: number) => patchGroup(tenant, groupNamed(tenant.population, `Members ${members}`));
    const most = Math.max(...tenant.population.groups.map(({ members }) => members));
    return entriesOf(tenant, of(most), [`${SMALL_GROUP} members`, of(SMALL_GROUP)]);
  },
};

const filters = (
  [
    ['user-name', 'userName eq', byUserName],
    ['external-id', 'externalId eq', byExternalId],
    ['work-email', 'emails[type eq "work"].value eq', byWorkEmail],
  ] as const
).map(
  ([name, filter, prepare]): ComparedCase => ({
    ...base,
    name: `growth-filter-${name}`,
    title: `filter: ${filter}, in the largest directory and in the smallest`,
    // Where there is only one, there is nothing to compare.
    points: (scale) => (scale.users.length > 1 ? inLargest(scale) : []),
    besides: ({ users }) => [Math.min(...users)],
    compare: (tenant, tenants) => {
      const [smallest = tenant] = tenants.toSorted((a, b) => a.population.users - b.population.users);
      const { users } = smallest.population;
      return entriesOf(tenant, prepare(tenant), [`${users.toLocaleString('en')} users`, prepare(smallest)]);
    },
  }),
);

const pages = (
  [
    ['index', deepPage, firstPage],
    ['cursor', deepPageByCursor, firstPageByCursor],
  ] as const
).map(
  ([by, deep, first]: readonly [string, Prepare, Prepare]): ComparedCase => ({
    ...base,
    name: `growth-list-${by}`,
    title: `list by ${by}, a deep page and the first`,
    points: inLargest,
    compare: (tenant) => entriesOf(tenant, deep(tenant), ['first page', first(tenant)]),
  }),
);

export const GROWTH_CASES: readonly ComparedCase[] = [groups, ...filters, ...pages];
