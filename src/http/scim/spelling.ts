import querystring from 'node:querystring';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PARAMETERS } from '../../scim/messages.ts';
import { noteValuePaths } from '../../scim/project.ts';
import { note } from '../../scim/quirks.ts';
import type { Reading } from '../../scim/types.ts';
import { readingOf, scimActor } from './request.ts';

/**
 * A hook behind the credential of a SCIM client: notes where a URL is read more generously than it is written, or
 * refuses it in strict mode. Query parameters that nobody knows are none of these: the RFC wants them ignored.
 */
export function noteSpelling(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  const reading = readingOf(request, scimActor(request));
  const { url = '' } = request.raw;
  const end = url.indexOf('?');
  noteEndpoint(end < 0 ? url : url.slice(0, end), request.routeOptions.url, reading);
  if (end >= 0) noteParameters(request, url, reading);
  done();
}

function noteParameters(request: FastifyRequest, url: string, reading: Reading): void {
  const query = request.query as Query;
  for (const [written, value] of Object.entries(query)) {
    const name = PARAMETERS.find((known) => known.toLowerCase() === written.toLowerCase());
    if (name !== undefined && name !== written) note(reading, 'parameterCase', written);
    if (name === 'attributes' || name === 'excludedAttributes') noteValuePaths(value, reading);
  }
  const [, filter] = /[?&]filter=([^&]*\+[^&]*)/i.exec(url) ?? [];
  if (filter !== undefined) readPlus(filter, query, reading);
}

type Query = Record<string, string | string[] | undefined>;

/** The router takes paths in any case, and slashes that are doubled or trail. */
function noteEndpoint(path: string, route: string | undefined, reading: Reading): void {
  const segments = path.split('/');
  const written = path.includes('%') ? segments.map(querystring.unescape) : segments;
  const announced = route?.split('/') ?? [];
  const same =
    written.length === announced.length &&
    announced.every((segment, index) => segment.startsWith(':') || segment === written[index]);
  if (route !== undefined && !same) note(reading, 'endpointSpelling', path);
}

/**
 * A plus in the filter of a URL, which the router reads as a space (Entra ID). By RFC 3986 it is a plus: in strict
 * mode it is one inside of strings, and refused elsewhere, where a filter has no use for it.
 */
function readPlus(raw: string, query: Query, reading: Reading): void {
  const literal = querystring.unescape(raw);
  const outside = literal.replace(/"(?:[^"\\]|\\.)*"?|\d[eE]\+\d/gs, '');
  if (!reading.strict || outside.includes('+')) note(reading, 'filterPlus');
  else if (typeof query.filter === 'string') query.filter = literal;
}
