import { again, ask, type Directory } from '../contestant.ts';
import { httpWorkload, type Workload } from '../workload.ts';
import { everywhere, type ScimCase } from './case.ts';

/** Pages of users, at the beginning of the directory and where nine tenths of it are behind, by index and by cursor. */

const base = { ...everywhere, floor: 'select' } as const;

const COUNT = 100;
const DEEP = 0.9;

/** Asks for one page over and over. */
const page = (directory: Directory, query: string): Workload =>
  httpWorkload(directory, () =>
    again({
      method: 'GET',
      path: `${directory.path}/Users?count=${COUNT}&${query}`,
      expects: (status, text) => status === 200 && text.split('"userName"').length - 1 === COUNT,
    }),
  );

export const firstPage = (directory: Directory) => page(directory, 'startIndex=1');

export const deepPage = (directory: Directory) =>
  page(directory, `startIndex=${directory.population.users * DEEP + 1}`);

export const firstPageByCursor = (directory: Directory) => page(directory, 'cursor=');

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

export async function deepPageByCursor(directory: Directory): Promise<Workload> {
  return page(directory, `cursor=${encodeURIComponent(await cursorAfter(directory, DEEP))}`);
}

export const LIST_CASES: readonly ScimCase[] = [
  {
    ...base,
    name: 'list-first',
    title: `list ${COUNT} users, first page by index`,
    prepare: firstPage,
  },
  {
    ...base,
    name: 'list-deep',
    quick: true,
    title: `list ${COUNT} users, deep page by index`,
    prepare: deepPage,
  },
  {
    ...base,
    name: 'list-cursor',
    title: `list ${COUNT} users, first page by cursor`,
    prepare: firstPageByCursor,
  },
  {
    ...base,
    name: 'list-cursor-deep',
    title: `list ${COUNT} users, deep page by cursor`,
    prepare: deepPageByCursor,
  },
];
