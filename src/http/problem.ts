import type { FastifyError, FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import { databaseRefusal } from '../db/constraints.ts';
import { AppError, type AppErrorCode } from '../errors.ts';
import { ScimError } from '../scim/error.ts';
import { logFailure } from './plugins/request-log.ts';
import { STATUS, sayRetryAfter } from './status.ts';

type ProblemCode =
  | AppErrorCode
  | 'method_not_allowed'
  | 'too_large'
  | 'unsupported_media_type'
  | 'uri_too_long'
  | 'internal';

/** A problem document, RFC 9457 section 3, with our extensions. `type` is `about:blank`: `code` tells them apart. */
export interface Problem {
  readonly type: 'about:blank';
  /** The phrase of the status, as `about:blank` wants it. */
  readonly title: string;
  readonly status: number;
  /** A stable word for programs. */
  readonly code: ProblemCode;
  /** A finer one. */
  readonly reason?: string;
  readonly detail: string;
  /** JSON pointer (RFC 6901) of the part of the body at fault, or the name of the parameter. */
  readonly pointer?: string;
  /** What to do about it. */
  readonly hint?: string;
  readonly requestId: string;
}

/** The one list of what a code is in HTTP. */
const PROBLEMS: Readonly<Record<ProblemCode, { readonly status: number; readonly title: string }>> = {
  invalid_request: { status: STATUS.invalid_request, title: 'Bad Request' },
  unauthorized: { status: STATUS.unauthorized, title: 'Unauthorized' },
  forbidden: { status: STATUS.forbidden, title: 'Forbidden' },
  not_found: { status: STATUS.not_found, title: 'Not Found' },
  method_not_allowed: { status: 405, title: 'Method Not Allowed' },
  conflict: { status: STATUS.conflict, title: 'Conflict' },
  precondition_failed: { status: STATUS.precondition_failed, title: 'Precondition Failed' },
  too_large: { status: 413, title: 'Content Too Large' },
  uri_too_long: { status: 414, title: 'URI Too Long' },
  unsupported_media_type: { status: 415, title: 'Unsupported Media Type' },
  assertion_refused: { status: STATUS.assertion_refused, title: 'Unprocessable Content' },
  too_many_requests: { status: STATUS.too_many_requests, title: 'Too Many Requests' },
  internal: { status: 500, title: 'Internal Server Error' },
  unavailable: { status: STATUS.unavailable, title: 'Service Unavailable' },
};

/** What Fastify and its parsers throw carries a status and no code of ours. */
const CODE_OF_STATUS: Readonly<Record<number, ProblemCode>> = {
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
};

/** Translates whatever was thrown into a problem document: the one place of the surfaces that answer these. */
export function problemOf(error: unknown, requestId: string): Problem {
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    const { code, reason, message, pointer, hint, members } = refusal;
    return makeProblem(code, message, requestId, {
      ...(reason !== undefined && { reason }),
      ...(pointer !== undefined && { pointer }),
      ...(hint !== undefined && { hint }),
      ...members,
    });
  }
  const { statusCode = 500, message } = error as FastifyError;
  if (statusCode < 400 || statusCode >= 500) {
    return makeProblem(
      'internal',
      'The request failed here; the log says why under this request id',
      requestId,
    );
  }
  return makeProblem(CODE_OF_STATUS[statusCode] ?? 'invalid_request', message, requestId);
}

function refusalOf(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  // A value that is to become a part of a SCIM resource.
  if (error instanceof ScimError) return new AppError('invalid_request', error.message, { cause: error });
  return databaseRefusal(error);
}

/** The error handler of a surface that answers problem documents. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = withLimit(problemOf(error, request.id), request);
  logFailure(request, problem.status, error);
  sayRetryAfter(reply, problem.status, error);
  // Its own serializer: a route's schema for an answer must not cut a refusal.
  return reply.code(problem.status).type('application/problem+json').serializer(JSON.stringify).send(problem);
}

/** Fastify's own words for a body that is too large do not say what may be sent. */
function withLimit(problem: Problem, { routeOptions }: FastifyRequest): Problem {
  if (problem.code !== 'too_large') return problem;
  return { ...problem, detail: `The body is larger than ${routeOptions.bodyLimit / 1024} KiB` };
}

/**
 * A hook for everything: unknown paths are refused behind the credentials of their surface, and before a body is read
 * that nobody asked for. Fastify's own handler of them would come behind it.
 */
export function refuseUnknownRoute(
  request: FastifyRequest,
  _reply: FastifyReply,
  payload: RequestPayload,
  done: (error: Error | null, payload: RequestPayload) => void,
): void {
  done(request.is404 ? new AppError('not_found', 'There is nothing at this path') : null, payload);
}

/** What such a surface answers where the path is there and the method is not (RFC 9110 section 15.5.6). */
export function sendWrongMethod(allowed: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = new Error(`${request.method} is not possible here; possible: ${allowed}`);
  return sendProblem(Object.assign(error, { statusCode: 405 }), request, reply.header('allow', allowed));
}

function makeProblem(
  code: ProblemCode,
  detail: string,
  requestId: string,
  extensions: Pick<Problem, 'reason' | 'pointer' | 'hint'> = {},
): Problem {
  const { status, title } = PROBLEMS[code];
  return { type: 'about:blank', title, status, code, ...extensions, detail, requestId };
}
