import type { AppErrorCode } from '../errors.ts';

/** The HTTP status of each refusal, on every surface. */
export const STATUS: Readonly<Record<AppErrorCode, number>> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  assertion_refused: 422,
  unavailable: 503,
};

/** Seconds after which a client may repeat what was answered 503. */
export const RETRY_AFTER = 2;
