import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { type ImportedLine, importUsers } from '../../actions/import-users.ts';
import type { Context } from '../../context.ts';
import { PERMISSION_NAME } from '../../reconcile/permissions.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { unsupportedMediaType } from '../plugins/json-body.ts';
import { Id, ofTenant, problems } from '../shapes.ts';
import { type TypedScope, typedScope, unfit } from '../typebox.ts';
import { CSV_COLUMNS, MAX_LINES, type ReadEntry, readLines } from './import-lines.ts';
import { Flag } from './plan-shape.ts';
import { NamedGrants } from './team-grant-shapes.ts';
import { Key, profile } from './user-writes.ts';

/** In bytes. */
const BODY_LIMIT = 16 * 1024 * 1024;

const NDJSON = 'application/x-ndjson';
const CSV = 'text/csv';

const Entry = Type.Object(
  {
    userName: Key,
    ...profile,
    teams: Type.Optional({ ...NamedGrants, description: 'Given by hand, beside what is held already' }),
    tenantOwner: Type.Optional(Type.Boolean({ description: 'false says nothing' })),
    permissions: Type.Optional(
      Type.Array(Type.String({ pattern: PERMISSION_NAME.source }), { maxItems: 100 }),
    ),
  },
  { additionalProperties: false },
);

const Outcome = Type.Enum(['created', 'updated', 'unchanged', 'refused']);
const Report = Type.Object({
  dryRun: Type.Boolean(),
  counts: Type.Object({
    created: Type.Integer(),
    updated: Type.Integer(),
    unchanged: Type.Integer(),
    refused: Type.Integer(),
  }),
  lines: Type.Unsafe<readonly ImportedLine[]>(
    Type.Array(
      Type.Object({
        line: Type.Integer({ description: 'Counted from 1, as editors do' }),
        outcome: Outcome,
        userId: Type.Optional(Id),
        errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }))),
      }),
    ),
  ),
});

const columns = CSV_COLUMNS.join(', ');
/** Nothing that the door could judge: a line that does not fit is refused by itself. */
const lines = (description: string) => ({ schema: Type.Unsafe<Buffer>({ description }) });
const body = {
  content: {
    [NDJSON]: lines(
      `A JSON object a line, with ${columns}: as for one user, and \`teams\` as \`[{"team", "role"}]\`, which are given by hand`,
    ),
    [CSV]: lines(
      `The first line names columns: ${columns}. \`teams\` is written \`Team A:EDITOR; Team B:VIEWER\`, \`permissions\` likewise without roles; an empty cell says nothing`,
    ),
  },
};

/** Users that a product has already, many at once. The scope reads its bodies itself, a line at a time. */
export function importRoute(scope: FastifyInstance, context: Context): void {
  scope.removeAllContentTypeParsers();
  const types = [NDJSON, CSV];
  const read = async ({ headers }: FastifyRequest, bytes: Buffer) => {
    const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(headers['content-type'] ?? '') ?? [];
    if (!/^(?:utf-?8|us-ascii)$/i.test(charset)) throw unsupportedMediaType(types);
    return bytes;
  };
  scope.addContentTypeParser(types, { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, read);
  scope.addContentTypeParser('*', async () => {
    throw unsupportedMediaType(types);
  });
  route(typedScope(scope), context);
}

function route(scope: TypedScope, context: Context): void {
  scope.post(
    '/tenants/:tenant/users/import',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags: ['Users'],
        operationId: 'importUsers',
        summary: `Create or change up to ${MAX_LINES} users whom no directory manages; a report for each line`,
        params: Type.Object(ofTenant),
        querystring: Type.Object({ dryRun: Type.Optional(Flag) }, { additionalProperties: false }),
        body,
        response: { 200: Report, ...problems },
      },
    },
    async (request) => {
      const { tenantId, query } = request;
      const csv = /^text\/csv\b/i.test(request.headers['content-type'] ?? '');
      const lines = await readLines(request.body as Buffer, { csv, readEntry: entryReader(request) });
      const dryRun = query.dryRun === 'true';
      const imported = await importUsers(context, actorOf(request), { tenantId, lines, dryRun });
      return { dryRun, counts: countsOf(imported), lines: imported };
    },
  );
}

/** Reads an entry by its schema, with the words of a body that does not fit. */
function entryReader(request: FastifyRequest): ReadEntry {
  const fits = request.compileValidationSchema(Entry, 'body');
  return (value) => {
    if (!fits(value)) throw unfit(fits.errors?.[0] as Parameters<typeof unfit>[0], 'line');
    return value as Static<typeof Entry>;
  };
}

function countsOf(lines: readonly ImportedLine[]): Static<typeof Report>['counts'] {
  const counts = { created: 0, updated: 0, unchanged: 0, refused: 0 };
  for (const { outcome } of lines) counts[outcome] += 1;
  return counts;
}
