import { ask, type Directory, type Exchange, type Lane } from '../contestant.ts';
import { httpWorkload } from '../workload.ts';
import { everyConnections, everyDirectory, type ScimCase } from './case.ts';

/** Pages of users, at the beginning of the directory and where nine tenths of it are behind, by index and by cursor. */

const base = {
  of: 'scim',
  floor: 'select',
  points: everyDirectory,
  connections: everyConnections,
} as const;

const COUNT = 100;
const DEEP = 0.9;

/** Asks for one page over and over. */
function page({ path }: Directory, query: string): () => Lane {
  const exchange: Exchange = {
    method: 'GET',
    path: `${path}/Users?count=${COUNT}&${query}`,
    expects: (status, text) => status === 200 && text.split('"userName"').length - 1 === COUNT,
  };
  return function* again() {
    for (;;) yield exchange;
  };
}

/** The cursor that leads to what lies behind so much of the directory. */
async function cursorAfter(directory: Directory, part: number): Promise<string> {
  let cursor = '';
  for (let seen = 0; seen < directory.population.users * part; seen += COUNT) {
    const path = `${directory.path}/Users?count=${COUNT}&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await ask<{ nextCursor?: string }>(directory, 'GET', path);
    if (!body.nextCursor) throw new Error(`No nextCursor after ${seen} users: ${status}`);
    cursor = body.nextCursor;
  }
  return cursor;
}

export const LIST_CASES: readonly ScimCase[] = [
  {
    ...base,
    name: 'list-first',
    title: `list ${COUNT} users, first page by index`,
    prepare: (directory) => httpWorkload(directory, page(directory, 'startIndex=1')),
  },
  {
    ...base,
    name: 'list-deep',
    quick: true,
    title: `list ${COUNT} users, deep page by index`,
    prepare: (directory) => {
      const startIndex = directory.population.users * DEEP + 1;
      return httpWorkload(directory, page(directory, `startIndex=${startIndex}`));
    },
  },
  {
    ...base,
    name: 'list-cursor',
    title: `list ${COUNT} users, first page by cursor`,
    prepare: (directory) => httpWorkload(directory, page(directory, 'cursor=')),
  },
  {
    ...base,
    name: 'list-cursor-deep',
    title: `list ${COUNT} users, deep page by cursor`,
    prepare: async (directory) => {
      const cursor = await cursorAfter(directory, DEEP);
      return httpWorkload(directory, page(directory, `cursor=${encodeURIComponent(cursor)}`));
    },
  },
];
