import type { FastifyReply } from 'fastify';

/** The media type of every SCIM answer, bare: it has no parameters (RFC 7644 section 8.1). */
export const SCIM_JSON = 'application/scim+json';

/** Sends JSON text. As bytes: Fastify would add a charset to the media type of text. */
export function sendScim(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('content-type', SCIM_JSON).send(Buffer.from(text));
}
