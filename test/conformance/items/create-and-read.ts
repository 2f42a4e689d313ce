import type { Item } from '../item.ts';

/** Requirements 107 to 150. */
export const CREATE_AND_READ: readonly Item[] = [];
