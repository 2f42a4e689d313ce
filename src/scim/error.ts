/** RFC 7644 section 3.12, table 9, and RFC 9865 section 2.1, table 3. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers'
  | 'sensitive'
  | 'invalidCursor'
  | 'expiredCursor'
  | 'invalidCount';

export interface ScimErrorOptions {
  /** What to do about it, for the admin who reads of the refusal; the `detail` says it too. */
  readonly hint?: string | undefined;
  /** The tolerance that would have read the message, but for strict mode (`quirks.ts`). */
  readonly tolerance?: string | undefined;
}

/** A message that does not hold: HTTP status, `scimType` and a `detail` that says what, where and what to do. */
export class ScimError extends Error {
  readonly status: number;
  readonly scimType: ScimType | undefined;
  readonly hint: string | undefined;
  readonly tolerance: string | undefined;

  constructor(
    status: number,
    scimType: ScimType | undefined,
    detail: string,
    { hint, tolerance }: ScimErrorOptions = {},
  ) {
    super(detail);
    this.name = 'ScimError';
    this.status = status;
    this.scimType = scimType;
    this.hint = hint;
    this.tolerance = tolerance;
  }
}

/** A path or a name as a detail quotes it: short, and without the strings of its filters, which hold names. */
export function quotable(text: string): string {
  return text.slice(0, 200).replace(/"[^"]*"?/g, '"…"');
}

/** 400 with the given `scimType`: by far the most common refusal. */
export function badRequest(scimType: ScimType, detail: string, options?: ScimErrorOptions): ScimError {
  return new ScimError(400, scimType, detail, options);
}

/** Carries out `work`; what it refuses begins with the position of the operation that is at fault. */
export function inOperation<Result>(index: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ScimError)) throw error;
    throw new ScimError(error.status, error.scimType, `Operations[${index}]: ${error.message}`, error);
  }
}
