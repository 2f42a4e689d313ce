/**
 * The one error that rooms and actions throw on purpose. A surface translates it once:
 * `http/scim/errors.ts` to a SCIM Error (RFC 7644 section 3.12), `http/problem.ts` to a problem document
 * (RFC 9457). Protocol values that do not hold are `ScimError`s (`scim/error.ts`).
 */
export type AppErrorCode =
  | 'invalid_request' // 400: the caller's input does not hold
  | 'unauthorized' // 401: no credential, or not one of ours
  | 'forbidden' // 403: the credential is ours, the act is not its
  | 'not_found' // 404: absent, or not yours: the same answer
  | 'conflict' // 409: uniqueness, or a state that forbids the act
  | 'precondition_failed' // 412: If-Match named another version
  | 'assertion_refused' // 422: a sign-in's assertion does not hold, or lacks what is needed
  | 'too_many_requests' // 429: more often than the key or its tenant may
  | 'unavailable'; // 503: the database is away; the caller repeats

export interface AppErrorOptions {
  /** A stable word for programs, finer than the code: `name_taken`, `scope_missing`. */
  reason?: string;
  /** JSON pointer or name of the part that is at fault. */
  pointer?: string;
  /** What to do about it, for a person. */
  hint?: string;
  /** Seconds after which the request may be repeated. */
  retryAfter?: number;
  /** Further members of a problem document: what a program needs to go on. Not told by SCIM errors. */
  members?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** A refusal: `code` for programs, `message` for people. Messages never carry secrets or another tenant's data. */
export class AppError extends Error {
  readonly code: AppErrorCode;
  readonly reason: string | undefined;
  readonly pointer: string | undefined;
  readonly hint: string | undefined;
  readonly retryAfter: number | undefined;
  readonly members: Readonly<Record<string, unknown>> | undefined;

  constructor(code: AppErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.reason = options.reason;
    this.pointer = options.pointer;
    this.hint = options.hint;
    this.retryAfter = options.retryAfter;
    this.members = options.members;
  }
}

/** Where to look for what is found by a name that somebody has to know. */
const LISTED: Readonly<Record<string, string>> = {
  'Identity provider': 'GET /api/admin/v1/tenants/{tenant}/identity-providers lists their names.',
};

/** The answer for everything that is absent or belongs to somebody else: always the same words. */
export function notFound(what: string): AppError {
  const hint = LISTED[what];
  return new AppError('not_found', `${what} not found`, { ...(hint !== undefined && { hint }) });
}
