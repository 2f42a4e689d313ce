import type { Item } from '../item.ts';

/** Requirements 1 to 54. */
export const TRANSPORT_AND_RESOURCES: readonly Item[] = [];
