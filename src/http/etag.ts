import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

const TAGS = /"[\x21\x23-\x7e]*"/g;

/**
 * Gives an answer of JSON its entity tag, a digest of what it says, and answers 304 without it where If-None-Match
 * names that tag (RFC 9110 section 13.1.2: compared weakly). What the handler returns is what this returns.
 */
export function tagged<Body extends object>(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  body: Body,
): Body | FastifyReply {
  const digest = createHash('sha256').update(JSON.stringify(body)).digest('base64url');
  const tag = `"${digest.slice(0, 22)}"`;
  reply.header('etag', `W/${tag}`);
  const known = headers['if-none-match'];
  if (known === undefined) return body;
  const isKnown = known.trim() === '*' || [...known.matchAll(TAGS)].some(([each]) => each === tag);
  return isKnown ? reply.code(304).send() : body;
}
