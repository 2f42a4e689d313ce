import { randomBytes, randomUUID } from 'node:crypto';
import { ask, type Directory, type Exchange, type Lane } from '../contestant.ts';
import { spread, userId, userNamed, userOf } from '../population.ts';
import { httpWorkload } from '../workload.ts';
import { everywhere, type ScimCase } from './case.ts';

/** Writes of one user: what a provisioning run is made of. */

const base = { ...everywhere, floor: 'insert' } as const;

interface ShownUser {
  readonly id: string;
  readonly userName: string;
  readonly title?: string;
  readonly active: boolean;
}

/** Whether the directory shows the user so. */
async function shows(directory: Directory, id: string, expected: Partial<ShownUser>): Promise<boolean> {
  const { body } = await ask<Partial<ShownUser>>(directory, 'GET', `${directory.path}/Users/${id}`);
  return Object.entries(expected).every(([name, value]) => body[name as keyof ShownUser] === value);
}

export function* newUsers(directory: Directory): Lane {
  const prefix = `new-${randomBytes(6).toString('hex')}`;
  for (let turn = 0; ; turn += 1) {
    // Only the floor takes the id that it is told.
    const user = { id: randomUUID(), ...userNamed(`${prefix}-${turn}`) };
    let created = '';
    yield {
      method: 'POST',
      path: `${directory.path}/Users`,
      body: JSON.stringify(user),
      expects: (status, text) => {
        created = status === 201 ? (JSON.parse(text) as ShownUser).id : '';
        return created !== '' && text.includes(`"${user.userName}"`);
      },
      wrote: () => shows(directory, created, { userName: user.userName }),
    };
  }
}

const MOST_LANES = 32;

/** Who has a turn: each lane writes to users of its own, so that none waits for another, and begins anew behind the last. */
function* existingUsers(
  { population }: Directory,
  lane: number,
  exchange: (user: number, turn: number, pass: number) => Exchange,
): Lane {
  const each = Math.floor(population.users / MOST_LANES);
  for (let turn = 0; ; turn += 1) {
    const user = spread(population, (turn % each) * MOST_LANES + lane);
    yield exchange(user, turn, Math.floor(turn / each));
  }
}

function* switches(directory: Directory, lane: number): Lane {
  yield* existingUsers(directory, lane, (user, _, pass) => {
    const id = userId(directory.population, user);
    // Whoever was switched off is switched on in the next pass: every request changes something.
    const active = pass % 2 === 1;
    return {
      method: 'PATCH',
      path: `${directory.path}/Users/${id}`,
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', path: 'active', value: active }],
      }),
      expects: (status, text) => status === 204 || (status === 200 && text.includes(`"active":${active}`)),
      wrote: () => shows(directory, id, { active }),
    };
  });
}

function* replacements(directory: Directory, lane: number): Lane {
  const { population } = directory;
  const run = randomBytes(3).toString('hex');
  yield* existingUsers(directory, lane, (user, turn) => {
    const id = userId(population, user);
    const title = `Engineer ${run} ${turn}`;
    return {
      method: 'PUT',
      path: `${directory.path}/Users/${id}`,
      body: JSON.stringify({ ...userOf(population, user), title }),
      expects: (status, text) => status === 200 && text.includes(`"${title}"`),
      wrote: () => shows(directory, id, { title }),
    };
  });
}

/** Also what the floor of all writes is asked. */
export const postUser = (directory: Directory) => httpWorkload(directory, () => newUsers(directory));

export const WRITE_CASES: readonly ScimCase[] = [
  {
    ...base,
    name: 'post-user',
    quick: true,
    title: 'POST a user',
    prepare: postUser,
  },
  {
    ...base,
    name: 'patch-active',
    quick: true,
    title: 'PATCH active',
    prepare: (directory) => httpWorkload(directory, (lane) => switches(directory, lane)),
  },
  {
    ...base,
    name: 'put-user',
    title: 'PUT a user',
    prepare: (directory) => httpWorkload(directory, (lane) => replacements(directory, lane)),
  },
];
