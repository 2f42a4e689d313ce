import type { Case } from './case.ts';
import { READ_CASES } from './read.ts';
import { WRITE_CASES } from './write.ts';

/** Everything that is measured, in the order in which it is: reads first, because writes make directories grow. */
export const CASES: readonly Case[] = [...READ_CASES, ...WRITE_CASES];
