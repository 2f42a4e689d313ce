import type { Item } from '../item.ts';

/** Requirements 227 to 311. */
export const BULK_AND_BEYOND: readonly Item[] = [];
