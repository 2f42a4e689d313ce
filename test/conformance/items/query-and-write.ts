import type { Item } from '../item.ts';

/** Requirements 151 to 226. */
export const QUERY_AND_WRITE: readonly Item[] = [];
