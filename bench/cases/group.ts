import { again, type Directory, type Lane } from '../contestant.ts';
import type { Scale } from '../options.ts';
import { groupNamed, type MeasuredGroup, type Population, userId } from '../population.ts';
import type { Tenant } from '../service.ts';
import { httpWorkload } from '../workload.ts';
import {
  type Case,
  everyConnections,
  everyGroup,
  groupOf,
  largest,
  type OwnCase,
  one,
  type ScimCase,
} from './case.ts';

/** Groups: one member more or less, all of them, and what a look at one costs. */

const base = { of: 'scim', points: everyGroup, connections: everyConnections } as const;

const inLargest = (scale: Scale) => [{ users: largest(scale) }];

/**
 * Takes a user in and out again, each lane another: one membership comes or goes. They are the last of the
 * directory, of whom all are members where the group is everybody; then they go out first.
 */
function* comeAndGo(directory: Directory, group: MeasuredGroup, lane: number): Lane {
  const number = directory.population.users - 1 - lane;
  const user = userId(directory.population, number);
  const { isMember } = directory;
  for (let joins = number >= group.members; ; joins = !joins) {
    const expected = joins;
    yield {
      method: 'PATCH',
      path: `${directory.path}/Groups/${group.id}`,
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [
          joins
            ? { op: 'add', path: 'members', value: [{ value: user }] }
            : { op: 'remove', path: `members[value eq "${user}"]` },
        ],
      }),
      expects: (status) => status === 204 || status === 200,
      ...(isMember && { wrote: async () => (await isMember(group.id, user)) === expected }),
    };
  }
}

export const patchGroup = (directory: Directory, group: MeasuredGroup) =>
  httpWorkload(directory, (lane) => comeAndGo(directory, group, lane));

const membersFrom = (population: Population, first: number, count: number) =>
  Array.from({ length: count }, (_, n) => ({ value: userId(population, first + n) }));

/** Replaces all members, by two lists in turn that differ by `step` users. */
function* replacements(tenant: Tenant, group: MeasuredGroup, step: number): Lane {
  const { members: count, displayName } = group;
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
  const lists = [0, step].map((first) => {
    const members = membersFrom(tenant.population, first, count);
    return { body: JSON.stringify({ schemas, displayName, members }), first, last: first + count - 1 };
  });
  const [one, other] = lists;
  if (!one || !other) return;
  const isIn = (n: number) => tenant.isMember(group.id, userId(tenant.population, n));
  for (let turn = 0; ; turn += 1) {
    const isOne = turn % 2 === 0;
    yield {
      method: 'PUT',
      path: `${tenant.path}/Groups/${group.id}`,
      body: (isOne ? one : other).body,
      expects: (status) => status === 200 || status === 204,
      wrote: async () =>
        step === 0
          ? (await isIn(one.first)) && (await isIn(one.last))
          : (await isIn(one.first)) === isOne && (await isIn(other.last)) !== isOne,
    };
  }
}

function replaced(name: string, title: string, part: number): OwnCase {
  return {
    of: 'rollcall',
    name,
    title,
    others: 'no peer has groups of this size, or none that are written as a whole',
    // Twice the users, so that all members can be others.
    points: (scale) =>
      everyGroup(scale)
        .slice(-1)
        .map(({ members }) => ({ users: 2 * members, members })),
    connections: one,
    prepare: (tenant, point) => {
      const group = groupOf(tenant, point);
      return httpWorkload(tenant, () => replacements(tenant, group, group.members * part));
    },
  };
}

const reads = ({ path }: Directory, group: MeasuredGroup, withMembers: boolean): Lane =>
  again({
    method: 'GET',
    path: `${path}/Groups/${group.id}${withMembers ? '' : '?excludedAttributes=members'}`,
    expects: (status, text) =>
      status === 200 && text.includes(`"id":"${group.id}"`) && text.includes('"value":') === withMembers,
  });

const SHARED: readonly ScimCase[] = [
  {
    ...base,
    floor: 'select',
    name: 'group-get-bare',
    quick: true,
    title: 'GET a group without its members',
    prepare: (directory, point) =>
      httpWorkload(directory, () => reads(directory, groupOf(directory, point), false)),
  },
  {
    ...base,
    name: 'group-get',
    title: 'GET a group with its members',
    // Answers of megabytes: more connections only wait for each other.
    connections: ({ connections }) => connections.slice(0, 2),
    prepare: (directory, point) =>
      httpWorkload(directory, () => reads(directory, groupOf(directory, point), true)),
  },
  {
    ...base,
    floor: 'member',
    name: 'group-patch',
    quick: true,
    title: 'PATCH a group, one member more or less',
    prepare: (directory, point) => patchGroup(directory, groupOf(directory, point)),
  },
  {
    of: 'scim',
    floor: 'member',
    name: 'group-crowd',
    quick: true,
    title: '32 PATCHes at a time on one group',
    points: inLargest,
    connections: () => [32],
    prepare: (directory) => patchGroup(directory, groupNamed(directory.population, 'Crowded')),
  },
];

const OWN: readonly OwnCase[] = [
  {
    of: 'rollcall',
    name: 'group-patch-mapped',
    title: 'PATCH a group that gives a team, one member more or less',
    others: 'no peer derives access from groups',
    points: inLargest,
    connections: everyConnections,
    prepare: (tenant) => patchGroup(tenant, groupNamed(tenant.population, 'Mapped')),
  },
  replaced('group-replace-same', 'PUT a group, the same members', 0),
  replaced('group-replace-some', 'PUT a group, 1 % of the members change', 0.01),
  { ...replaced('group-replace-all', 'PUT a group, all members change', 1), quick: true },
];

export const GROUP_CASES: readonly Case[] = [...SHARED, ...OWN];
