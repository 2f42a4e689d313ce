import { AssertionError, type Check } from './types.ts';

/** What was checked of one assertion, in order. Each check is short, and throws an AssertionError where it fails. */
export interface Trace {
  readonly checks: readonly Check[];
  /** Runs a check and notes that it passed; an AssertionError leaves with all that was noted, itself the last. */
  run<Result>(check: string, step: () => Result | Promise<Result>): Promise<Result>;
}

export function openTrace(): Trace {
  const checks: Check[] = [];
  return {
    checks,
    async run(check, step) {
      try {
        const result = await step();
        checks.push({ check, passed: true });
        return result;
      } catch (error) {
        if (!(error instanceof AssertionError)) throw error;
        const failed = { check, passed: false, detail: error.message };
        throw new AssertionError(error.reason, error.message, [...checks, failed]);
      }
    },
  };
}
