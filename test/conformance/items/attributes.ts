import type { Item } from '../item.ts';

/** Requirements 55 to 106. */
export const ATTRIBUTES: readonly Item[] = [];
