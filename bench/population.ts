/**
 * Who is in a directory of so many users, by number: every contestant is given the same people. A population is told
 * from others by its size, also in ids and names, because some keep all directories in one table.
 */

export interface Population {
  readonly users: number;
  readonly groups: readonly MeasuredGroup[];
  /** Only in the service, where it gives a team. */
  readonly everybody: MeasuredGroup;
}

/** A group whose members are the users 0 to `members` - 1. */
export interface MeasuredGroup {
  readonly id: string;
  readonly displayName: string;
  readonly members: number;
}

const GROUP_SIZES = [10, 1_000, 100_000];

export function populationOf(users: number): Population {
  const sizes = GROUP_SIZES.filter((members) => members <= users);
  const groups = sizes.map((members, n) => groupOf(users, n, { displayName: `Members ${members}`, members }));
  const crowded = groupOf(users, sizes.length, { displayName: 'Crowded', members: 10 });
  const mapped = groupOf(users, sizes.length + 1, { displayName: 'Mapped', members: 10 });
  const everybody = groupOf(users, sizes.length + 2, { displayName: 'Everybody', members: users });
  return { users, groups: [...groups, crowded, mapped], everybody };
}

function groupOf(users: number, n: number, group: Omit<MeasuredGroup, 'id'>): MeasuredGroup {
  return { ...group, id: idOf(2, users, n) };
}

/** @throws where the population has no such group */
export function groupNamed({ groups }: Population, displayName: string): MeasuredGroup {
  const found = groups.find((group) => group.displayName === displayName);
  if (!found) throw new Error(`There is no group ${displayName}`);
  return found;
}

/** UUIDs of version 7, in the order of the numbers; as loaded at once. */
function idOf(kind: number, users: number, n: number): string {
  const population = Math.log10(users).toFixed(0);
  return `01a2007${kind}-000${population}-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

export const userId = ({ users }: Population, n: number): string => idOf(1, users, n);

/** A User resource as Entra ID sends it, without its id. `name` is unique in all directories. */
export function userNamed(name: string) {
  const address = `${name}@bench.example`;
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: address,
    externalId: `external-${name}`,
    name: { givenName: 'Avery', familyName: name },
    displayName: `Avery ${name}`,
    title: 'Engineer',
    emails: [{ value: address, type: 'work', primary: true }],
    active: true,
  };
}

export const userOf = ({ users }: Population, n: number) => userNamed(`user-${users}-${n}`);

/** 0 to `count` - 1 in lists: what is written at once has to fit into memory, and into one message. */
export function* numbersIn(count: number, most = 10_000): Generator<readonly number[]> {
  for (let first = 0; first < count; first += most) {
    yield Array.from({ length: Math.min(most, count - first) }, (_, n) => first + n);
  }
}

/** Numbers spread over all users, the same at each run: `turn` from 0. */
export const spread = ({ users }: Population, turn: number): number => (turn * 7_919) % users;
