/** Ends a transaction that was only to show what it would do: throwing is what rolls it back. */
class Rehearsed<Result> extends Error {
  readonly result: Result;

  constructor(result: Result) {
    super('a dry run ends here');
    this.result = result;
  }
}

/**
 * Runs `work`, which ends by `end`, to its end; as a dry run up to there and back. So a dry run is the same
 * transaction, with the same statements and the same locks.
 */
export async function rehearsed<Result>(
  dryRun: boolean,
  work: (end: (result: Result) => Result) => Promise<Result>,
): Promise<Result> {
  const end = (result: Result): Result => {
    if (dryRun) throw new Rehearsed(result);
    return result;
  };
  try {
    return await work(end);
  } catch (error) {
    if (error instanceof Rehearsed) return error.result as Result;
    throw error;
  }
}
