import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { databaseRefusal, isOfDeletedDirectory } from '../../db/constraints.ts';
import { AppError } from '../../errors.ts';
import { ScimError, type ScimType } from '../../scim/error.ts';
import { errorBody } from '../../scim/messages.ts';
import { CredentialRefusal } from '../../tenants/authenticate.ts';
import { RateRefusal } from '../../tenants/rates.ts';
import { logFailure } from '../plugins/request-log.ts';
import { STATUS, sayRetryAfter } from '../status.ts';
import { sendScim } from './media-type.ts';

/** Reasons that SCIM has a word for (RFC 7644 section 3.12, table 9). */
const SCIM_TYPES: Record<string, ScimType> = {
  uniqueness: 'uniqueness',
  json_syntax: 'invalidSyntax',
  json_duplicate: 'invalidSyntax',
  json_depth: 'invalidSyntax',
  json_size: 'invalidSyntax',
  json_text: 'invalidValue',
};

/**
 * Translates whatever was thrown into a SCIM Error: the one place of this surface (RFC 7644 section 3.12).
 * @param bodyLimit of the route, in bytes: what a body was too large for.
 */
export function asScimError(error: unknown, bodyLimit?: number): ScimError {
  if (error instanceof ScimError) return error;
  if (isOfDeletedDirectory(error))
    return new ScimError(401, undefined, 'The directory of this key was deleted');
  const refusal = error instanceof AppError ? error : databaseRefusal(error);
  if (refusal) {
    const detail = [refusal.message, refusal.hint].filter(Boolean).join('. ');
    return new ScimError(STATUS[refusal.code], SCIM_TYPES[refusal.reason ?? ''], detail, refusal);
  }
  const { statusCode = 500, message } = error as FastifyError;
  if (statusCode === 413)
    return new ScimError(413, undefined, `The body is larger than ${bodyLimit} bytes; split the change`);
  if (statusCode === 414) return new ScimError(414, undefined, 'A part of the path is too long to be an id');
  if (statusCode >= 400 && statusCode < 500) return new ScimError(statusCode, undefined, message);
  return new ScimError(500, undefined, 'Something went wrong here; the log knows more under this request id');
}

/** The error handler of the SCIM scope. */
export function sendScimError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, scimType, message, hint } = asScimError(error, request.routeOptions.bodyLimit);
  logFailure(request, status, error);
  sayRetryAfter(reply, status, error);
  const ended = error instanceof CredentialRefusal ? error.ended : undefined;
  // Those of a flood would take the place of all other refusals of the tenant.
  const isKept = !(error instanceof RateRefusal && error.repeated);
  if (isKept) request.refusal = { status, scimType, detail: message, hint: ended ? undefined : hint, ended };
  return sendScim(reply.code(status), JSON.stringify(errorBody(status, scimType, message)));
}
