import type { FastifyReply } from 'fastify';
import { AppError, type AppErrorCode } from '../errors.ts';

/** The HTTP status of each refusal, on every surface. */
export const STATUS: Readonly<Record<AppErrorCode, number>> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  assertion_refused: 422,
  too_many_requests: 429,
  unavailable: 503,
};

/** Seconds after which a client may repeat what was answered 503. */
export const RETRY_AFTER = 2;

/** Says when a refused request may be repeated, where that is known (RFC 9110 section 10.2.3). */
export function sayRetryAfter(reply: FastifyReply, status: number, error: unknown): void {
  const ofUnavailable = status === STATUS.unavailable ? RETRY_AFTER : undefined;
  const seconds = (error instanceof AppError ? error.retryAfter : undefined) ?? ofUnavailable;
  if (seconds !== undefined) reply.header('retry-after', String(seconds));
}
