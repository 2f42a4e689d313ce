import { BESIDE_CASES } from './beside.ts';
import type { Case } from './case.ts';
import { FLOOD_CASES } from './flood.ts';
import { GROUP_CASES } from './group.ts';
import { GROWTH_CASES } from './growth.ts';
import { LIST_CASES } from './list.ts';
import { MAPPING_CASES } from './mapping.ts';
import { READ_CASES } from './read.ts';
import { SIGN_IN_CASES } from './sign-in.ts';
import { SPREAD_CASES } from './spread.ts';
import { WRITE_CASES } from './write.ts';

/** Everything that is measured, in the order in which it is: reads first, because writes make directories grow, and mappings last, because theirs are the largest. */
export const CASES: readonly Case[] = [
  ...READ_CASES,
  ...LIST_CASES,
  ...WRITE_CASES,
  ...SPREAD_CASES,
  ...GROUP_CASES,
  ...GROWTH_CASES,
  ...SIGN_IN_CASES,
  ...BESIDE_CASES,
  ...FLOOD_CASES,
  ...MAPPING_CASES,
];
