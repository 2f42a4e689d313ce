import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import { parseJson } from '../json.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** How many bytes the body had that `readJsonBodies` read. */
    bodyBytes: number;
  }
}

/** What some scopes read besides, by parsers of their own. */
const OTHER_TYPES = ['application/x-www-form-urlencoded', 'application/samlmetadata+xml', 'application/xml'];

/**
 * The bodies that a scope reads: JSON under these media types, or under none at all. Every other media type is
 * 415: Fastify's own text parser would let a body in that nobody has validated.
 */
export function readJsonBodies(scope: FastifyInstance, mediaTypes: readonly string[]): void {
  scope.removeAllContentTypeParsers();
  scope.decorateRequest('bodyBytes', 0);
  const parse = async (request: FastifyRequest, bytes: Buffer): Promise<unknown> => {
    request.bodyBytes = bytes.length;
    if (bytes.length > 0) return parseJson(bytes);
    // Some clients send a Content-Type with DELETE and GET, and no body (authentik, Okta).
    if (request.method === 'DELETE' || request.method === 'GET') return undefined;
    throw new AppError('invalid_request', 'The body is empty; send a JSON object', { reason: 'json_syntax' });
  };
  scope.addContentTypeParser([...mediaTypes], { parseAs: 'buffer' }, parse as never);
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (async (request: FastifyRequest, bytes: Buffer) => {
    if (request.headers['content-type'] !== undefined && bytes.length > 0) {
      const others = OTHER_TYPES.filter((type) => request.server.hasContentTypeParser(type));
      throw unsupportedMediaType([...mediaTypes, ...others]);
    }
    return parse(request, bytes);
  }) as never);
}

/** Fastify's own error for a media type nobody reads, with the list of those that are read. */
export function unsupportedMediaType(mediaTypes: readonly string[]): Error {
  const error = new Error(`Unsupported media type; send ${mediaTypes.join(' or ')}, in UTF-8`);
  return Object.assign(error, { statusCode: 415, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' });
}
