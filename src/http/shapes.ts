import type { FastifyRequest } from 'fastify';
import Type, { type TSchema } from 'typebox';
import { validate as isUuid, NIL } from 'uuid';
import type { Page } from '../db/page.ts';
import { AppError, notFound } from '../errors.ts';

/** The shapes that several nouns of the JSON surfaces share. */

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const SLUG = new RegExp(`^(?!${UUID}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`);

/** A name in paths. Never in the form of an id, so that a path means one thing. */
export const Slug = Type.String({
  pattern: SLUG.source,
  description: 'A lower-case slug: letters, digits and hyphens, at most 63; not in the form of a UUID',
});

/** A line of text, without control characters. */
export function line(maxLength: number) {
  return Type.String({ minLength: 1, maxLength, pattern: '^[^\\p{Cc}\\p{Cs}]*$' });
}

/** A name for people. */
export const Label = line(200);

/** A value or null. */
export function nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()]);
}

/** A moment in an answer; handlers give a Date. */
export const Timestamp = Type.Unsafe<Date>({ type: 'string', format: 'date-time' });

export const Id = Type.String({ format: 'uuid' });

/** An id in a query. The format alone would let in `urn:uuid:`, which PostgreSQL cannot read. */
export function idParameter(description: string) {
  return Type.String({ format: 'uuid', pattern: `^${UUID.replaceAll('a-f', 'a-fA-F')}$`, description });
}

/** A problem document (RFC 9457), by reference. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'A stable word for programs' }),
    reason: Type.Optional(Type.String({ description: 'A finer one' })),
    detail: Type.String(),
    pointer: Type.Optional(Type.String({ description: 'JSON pointer, or name of the parameter, at fault' })),
    hint: Type.Optional(Type.String({ description: 'What to do about it' })),
    requestId: Type.String(),
  },
  { $id: 'Problem' },
);

/** What every route may answer besides; no handler returns it, so it has no type. */
const Refused = Type.Unsafe<never>({
  description: 'Refused: a problem document',
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
});
export const problems = { '4XX': Refused, '5XX': Refused };

/** The path parameter of everything that belongs to a tenant. */
export const ofTenant = { tenant: Type.String({ description: 'Id or name of the tenant' }) };

/** The length of a page that does not ask for another. */
export const DEFAULT_LIMIT = 100;

/** The query of a list. */
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: DEFAULT_LIMIT })),
  after: Type.Optional(idParameter('The `next` of the page before')),
};

/** A `preValidation` hook: the limit of a list, which a query string can only hold as text, as a number. */
export async function readLimit({ query }: FastifyRequest): Promise<void> {
  const parameters = query as Record<string, unknown>;
  if (typeof parameters.limit === 'string' && /^\d{1,6}$/.test(parameters.limit)) {
    parameters.limit = Number(parameters.limit);
  }
}

/**
 * A `preValidation` hook: refuses a query where none is read. Whoever asks for a dry run of what has none must not get
 * the change instead.
 */
export async function refuseUnknownQuery({ query, routeOptions }: FastifyRequest): Promise<void> {
  const [name] = Object.keys(query as object);
  if (name === undefined || routeOptions.schema?.querystring !== undefined) return;
  throw new AppError('invalid_request', `${name} is not known here`, { pointer: name });
}

/** One page of a list, with the `after` of the next page where there is one. */
export async function pageOf<Item extends { readonly id: string }>(
  { after = NIL, limit = DEFAULT_LIMIT }: { after?: string; limit?: number },
  read: (page: Page) => Promise<Item[]>,
): Promise<{ items: Item[]; next?: string }> {
  const found = await read({ after, limit: limit + 1 });
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, ...(last !== undefined && found.length > limit && { next: last.id }) };
}

/** An id out of a path, in lower case; what has not the form of one names nothing, and is not asked for. */
export function idOrNotFound(text: string, what: string): string {
  if (!isUuid(text)) throw notFound(what);
  return text.toLowerCase();
}

/** A name out of a path; likewise. */
export function slugOrNotFound(text: string, what: string): string {
  if (!isSlug(text)) throw notFound(what);
  return text;
}

/** Whether a text has the form of a name. */
export function isSlug(text: string): boolean {
  return SLUG.test(text);
}
