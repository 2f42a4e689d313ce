import type { FastifyReply } from 'fastify';

/** The media type of every SCIM answer, bare: it has no parameters (RFC 7644 section 8.1). */
export const SCIM_JSON = 'application/scim+json';

const asItIs = (text: string) => text;

/** Sends JSON text. With a serializer of its own: otherwise Fastify would add a charset to the media type. */
export function sendScim(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('content-type', SCIM_JSON).serializer(asItIs).send(text);
}
