import type { Test } from 'tap';

/**
 * A test that shows requirements of `test/conformance/items/` by their numbers. The numbers and the title are read
 * from the source too, for `docs/conformance.md`: write both as literals.
 */
export function meets(
  t: Test,
  numbers: readonly number[],
  title: string,
  show: (t: Test) => Promise<unknown>,
): Promise<unknown> {
  return t.test(`[${numbers.join(', ')}] ${title}`, show);
}
