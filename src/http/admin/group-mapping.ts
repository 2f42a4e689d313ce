import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { type ChangedMapping, changeMapping, warningsOf } from '../../actions/change-mapping.ts';
import type { Context } from '../../context.ts';
import { runAlone } from '../../db/transaction.ts';
import { notFound } from '../../errors.ts';
import {
  asWritten,
  currentMapping,
  type MappingVersionRow,
  mappingVersion,
  mappingVersions,
} from '../../reconcile/mapping.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { DEFAULT_LIMIT, Id, nullable, ofTenant, pageQuery, problems, Timestamp } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { mappingQuery, Plan, readPlanQuery } from './plan-shape.ts';

const Open = Type.Unsafe<object>({ type: 'object', additionalProperties: true });
const Document = Type.Unsafe<object>({
  type: 'object',
  additionalProperties: true,
  description: 'In canonical form; the README tells what it says',
});
const Warnings = Type.Array(
  Type.Object({ code: Type.String(), pointer: Type.String(), detail: Type.String() }),
);
const version = Type.Integer({ minimum: 0 });
/** `applying`: a job still carries it out. */
const applied = { state: Type.Enum(['active', 'applying', 'superseded']), job: Type.Optional(Id) };
const made = { cause: Open, updatedAt: Timestamp, updatedBy: Open };
const Changed = Type.Object({ version, ...applied, plan: Plan, warnings: Warnings });
const params = Type.Object(ofTenant);
const tags = ['Group mapping'];
const Version = Type.String({ pattern: '^[0-9]{1,9}$' });

export function groupMappingRoutes(scope: TypedScope, context: Context): void {
  const { db } = context;

  scope.get(
    '/tenants/:tenant/group-mapping',
    {
      schema: {
        tags,
        operationId: 'readGroupMapping',
        summary: 'Read the mapping that holds; version 0: there is none yet',
        params,
        response: {
          200: Type.Object({
            version,
            ...applied,
            document: nullable(Document),
            warnings: Warnings,
            ...Type.Partial(Type.Object(made)).properties,
          }),
          ...problems,
        },
      },
    },
    async ({ tenantId }) => {
      const [row] = await runAlone(db, currentMapping(tenantId));
      if (row === undefined) return { version: 0, state: 'active' as const, document: null, warnings: [] };
      const { document } = asWritten(row);
      return { ...versionOf(row), document, warnings: await warningsOf(context, tenantId, document) };
    },
  );

  scope.put(
    '/tenants/:tenant/group-mapping',
    {
      schema: {
        tags,
        operationId: 'changeGroupMapping',
        summary:
          'Replace the mapping as a whole, and everything that follows from it; 202: a job goes on with it',
        params,
        querystring: Type.Object(mappingQuery, { additionalProperties: false }),
        body: Type.Unsafe<unknown>({ description: 'The document' }),
        response: { 200: Changed, 202: Changed, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId, query, body: document } = request;
      const asked = readPlanQuery(query);
      const changed = await changeMapping(context, actorOf(request), {
        tenantId,
        to: { document },
        ...asked,
      });
      return answer(reply, changed, asked);
    },
  );

  scope.post(
    '/tenants/:tenant/group-mapping/revert',
    {
      schema: {
        tags,
        operationId: 'revertGroupMapping',
        summary: 'Make the document of an older version the one that holds, as a new version',
        params,
        querystring: Type.Object(mappingQuery, { additionalProperties: false }),
        body: Type.Object(
          { version: Type.Integer({ minimum: 1, maximum: 999_999_999 }) },
          { additionalProperties: false },
        ),
        response: { 200: Changed, 202: Changed, ...problems },
      },
    },
    async (request, reply) => {
      const { tenantId, query, body } = request;
      const asked = readPlanQuery(query);
      const changed = await changeMapping(context, actorOf(request), { tenantId, to: body, ...asked });
      return answer(reply, changed, asked);
    },
  );

  scope.get(
    '/tenants/:tenant/group-mapping/versions',
    {
      schema: {
        tags,
        operationId: 'listGroupMappingVersions',
        summary: 'List the versions of the mapping, the latest first, without their documents',
        params,
        querystring: Type.Object(
          { limit: pageQuery.limit, after: Type.Optional(Version) },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            versions: Type.Array(Type.Object({ version, ...applied, ...made })),
            next: Type.Optional(Version),
          }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query: { limit = DEFAULT_LIMIT, after = '999999999' } }) => {
      const rows = await runAlone(db, mappingVersions(tenantId, Number(after), limit + 1));
      const versions = rows.slice(0, limit).map(versionOf);
      const last = versions.at(-1);
      return { versions, ...(last && rows.length > limit && { next: String(last.version) }) };
    },
  );

  scope.get(
    '/tenants/:tenant/group-mapping/versions/:version',
    {
      schema: {
        tags,
        operationId: 'readGroupMappingVersion',
        summary: 'Read a version of the mapping',
        params: Type.Object({ ...ofTenant, version: Type.String() }),
        response: {
          200: Type.Object({ version, ...applied, document: Document, ...made }),
          ...problems,
        },
      },
    },
    async ({ tenantId, params: path }) => {
      if (!/^[0-9]{1,9}$/.test(path.version)) throw notFound('Mapping version');
      const [row] = await runAlone(db, mappingVersion(tenantId, Number(path.version)));
      if (row === undefined) throw notFound('Mapping version');
      return { ...versionOf(row), document: asWritten(row).document };
    },
  );
}

function versionOf(row: Omit<MappingVersionRow, 'document'>) {
  const { version, job_id: job, current, cause, created_at: updatedAt, author: updatedBy } = row;
  const state = current ? (job === null ? 'active' : 'applying') : 'superseded';
  return { version, state, ...(job !== null && { job }), cause, updatedAt, updatedBy } as const;
}

function answer(reply: FastifyReply, changed: ChangedMapping, { dryRun }: { readonly dryRun: boolean }) {
  const state = changed.job === undefined ? ('active' as const) : ('applying' as const);
  return reply.code(state === 'active' || dryRun ? 200 : 202).send({ ...changed, state });
}
