import type { Directory, Exchange, Lane } from '../contestant.ts';
import { spread, userId, userOf } from '../population.ts';
import { httpWorkload } from '../workload.ts';
import { everywhere, type ScimCase } from './case.ts';

/** Reads of one user: by id, and by what identity providers look for before they write. */

const base = { ...everywhere, floor: 'select' } as const;

/** Lanes ask for other users each. */
const LANES_APART = 31;

/** An exchange for each turn: of users spread over the directory. */
function* turns(lane: number, exchange: (turn: number) => Exchange): Lane {
  for (let turn = lane * LANES_APART; ; turn += 1) yield exchange(turn);
}

const filtered = (filter: (address: string) => string) => (directory: Directory) =>
  httpWorkload(directory, (lane) =>
    turns(lane, (turn) => {
      const { userName } = userOf(directory.population, spread(directory.population, turn));
      return {
        method: 'GET',
        path: `${directory.path}/Users?filter=${encodeURIComponent(filter(userName))}`,
        expects: (status, text) =>
          status === 200 && text.includes('"totalResults":1') && text.includes(`"${userName}"`),
      };
    }),
  );

export const userReads = ({ population, path }: Directory, lane: number): Lane =>
  turns(lane, (turn) => {
    const id = userId(population, spread(population, turn));
    return {
      method: 'GET',
      path: `${path}/Users/${id}`,
      expects: (status, text) => status === 200 && text.includes(`"id":"${id}"`),
    };
  });

/** Also what the floor of all reads is asked. */
export const getUser = (directory: Directory) =>
  httpWorkload(directory, (lane) => userReads(directory, lane));

export const byUserName = filtered((address) => `userName eq "${address}"`);
export const byExternalId = filtered((address) => `externalId eq "external-${address.split('@')[0]}"`);
export const byWorkEmail = filtered((address) => `emails[type eq "work"].value eq "${address}"`);

export const READ_CASES: readonly ScimCase[] = [
  {
    ...base,
    name: 'get-user',
    quick: true,
    title: 'GET a user',
    prepare: getUser,
  },
  {
    ...base,
    name: 'filter-user-name',
    quick: true,
    title: 'filter: userName eq',
    prepare: byUserName,
  },
  {
    ...base,
    name: 'filter-work-email',
    title: 'filter: emails[type eq "work"].value eq',
    prepare: byWorkEmail,
  },
];
