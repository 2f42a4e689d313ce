import type { Socket } from 'node:net';
import type { ConnectionError, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import { errorBody } from '../scim/messages.ts';
import { sendProblem } from './problem.ts';
import { sendScimError } from './scim/errors.ts';
import { SCIM_JSON } from './scim/media-type.ts';

/**
 * Refusals of requests that reach no scope, and so no credential and no error handler of a surface: broken HTTP,
 * and URLs that the router cannot read. Only their shape is chosen.
 */

/** In bytes: the longest filter, percent-encoded three to one, and headers beside it. */
export const MAX_HEADER_SIZE = 64 * 1024;

const isScim = (url: string) => /^\/+api\/+scim\//i.test(url);

export const unroutedErrors: Pick<FastifyServerOptions, 'frameworkErrors' | 'clientErrorHandler'> = {
  /** `/%ZZ`, an endless parameter. */
  frameworkErrors: ((error: Error, request: FastifyRequest, reply: FastifyReply) =>
    isScim(request.raw.url ?? '')
      ? sendScimError(error, request, reply)
      : sendProblem(error, request, reply)) as never,

  /**
   * What Node's HTTP parser refuses: there is no request yet, only a socket, and often not even a path. SCIM
   * clients need their own form of error, and nobody else is harmed by it.
   */
  clientErrorHandler({ code }: ConnectionError, socket: Socket) {
    if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const { status, detail } = PARSER_ERRORS[code] ?? {
      status: 400,
      detail: 'The request is not valid HTTP',
    };
    const body = JSON.stringify(errorBody(status, undefined, detail));
    const head = [
      `HTTP/1.1 ${status} Refused`,
      `Content-Type: ${SCIM_JSON}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    return void socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  },
};

const PARSER_ERRORS: Readonly<Record<string, { readonly status: number; readonly detail: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    detail: 'URL and headers are longer than 65,536 bytes; send long filters with POST /Users/.search',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'The request was not sent in time' },
};
