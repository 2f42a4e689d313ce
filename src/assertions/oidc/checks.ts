import { AssertionError, type AssertionReason, type Check } from '../types.ts';

/** The checks of one verification, in order. Each bears the word that a refusal by it is told by. */
export interface Checks {
  readonly made: readonly Check[];
  /** Notes a check. @throws AssertionError where it has not passed, with `refusal` for people. */
  require(check: AssertionReason, passed: boolean, refusal: string): asserts passed;
  /** Says that a check has not passed. */
  refuse(check: AssertionReason, refusal: string): never;
}

export function openChecks(): Checks {
  const made: Check[] = [];

  function refuse(check: AssertionReason, refusal: string): never {
    made.push({ check, passed: false, detail: refusal });
    throw new AssertionError(check, refusal, made);
  }

  return {
    made,
    refuse,
    require(check, passed, refusal) {
      if (!passed) refuse(check, refusal);
      made.push({ check, passed });
    },
  };
}
