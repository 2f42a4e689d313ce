import Type from 'typebox';
import { MAX } from 'uuid';
import { cancelJob } from '../../actions/cancel-job.ts';
import { queueResync, rehearseResync } from '../../actions/queue-resync.ts';
import type { Context } from '../../context.ts';
import { runAlone } from '../../db/transaction.ts';
import { notFound } from '../../errors.ts';
import { type JobRow, jobById, jobsOf } from '../../reconcile/jobs.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { Id, idOrNotFound, nullable, ofTenant, pageOf, pageQuery, problems, Timestamp } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { Plan, planMembers, planQuery, readPlanQuery } from './plan-shape.ts';

const Job = Type.Object({
  id: Id,
  kind: Type.Enum(['mapping', 'resync']),
  state: Type.Enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  request: Type.Object({
    version: Type.Optional(Type.Integer({ description: 'Of a mapping: the version to be applied' })),
    fix: Type.Optional(Type.Boolean({ description: 'Of a resync: whether it writes' })),
    insteadOf: Type.Optional(Id),
  }),
  done: Type.Integer({ description: 'Users' }),
  total: Type.Integer(),
  rate: nullable(Type.Number({ description: 'Users a second' })),
  etaSeconds: nullable(Type.Integer({ description: 'While it runs: until it is done, at this rate' })),
  createdAt: Timestamp,
  createdBy: Type.Unsafe<object>({ type: 'object', additionalProperties: true }),
  startedAt: nullable(Timestamp),
  endedAt: nullable(Timestamp),
});

const Found = Type.Object({
  grants: Type.Integer({ description: 'Grants that differed: 0 is no drift' }),
  orphans: Type.Integer({ description: 'Of them those of a user or target that is gone' }),
  add: Type.Integer(),
  change: Type.Integer(),
  remove: Type.Integer(),
  owners: Type.Object({ gained: Type.Array(Id), lost: Type.Array(Id) }),
  permissions: planMembers.permissions,
  changes: planMembers.changes,
  supersededBy: Type.Integer({
    description: 'The newer version of the mapping that covers all that was left',
  }),
  failure: Type.String(),
});
/** In lists without its result, which may be long. */
const JobWithResult = Type.Object({
  ...Job.properties,
  result: Type.Unsafe<JobRow['result']>({
    ...Type.Partial(Found),
    description: 'What was found in the users who are done; of what is listed the first 1,000',
  }),
});

const params = Type.Object({ ...ofTenant, job: Type.String() });
const tags = ['Jobs'];

export function jobRoutes(scope: TypedScope, context: Context): void {
  const { db } = context;

  scope.post(
    '/tenants/:tenant/resync',
    {
      schema: {
        tags,
        operationId: 'resync',
        summary: 'Compare what all users hold with what they should hold, and with `fix` bring them to it',
        params: Type.Object(ofTenant),
        querystring: Type.Object(
          { ...planQuery, fix: Type.Optional(Type.Enum(['true', 'false'])) },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ plan: Plan }, { description: 'Of a dry run: what `fix` would do' }),
          202: Type.Object({ job: Id }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { tenantId, query } = request;
      const { dryRun, expectDigest, confirm } = readPlanQuery(query);
      if (dryRun) return reply.send({ plan: await rehearseResync(context, tenantId) });
      const resync = { tenantId, fix: query.fix === 'true', expectDigest, confirm };
      return reply.code(202).send({ job: await queueResync(context, actorOf(request), resync) });
    },
  );

  scope.get(
    '/tenants/:tenant/jobs',
    {
      schema: {
        tags,
        operationId: 'listJobs',
        summary: 'List the jobs of the last 30 days, the latest first, without their results',
        params: Type.Object(ofTenant),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: { 200: Type.Object({ jobs: Type.Array(Job), next: Type.Optional(Id) }), ...problems },
      },
    },
    async ({ tenantId, query }) => {
      const { items, ...rest } = await pageOf({ after: MAX, ...query }, ({ after, limit }) =>
        runAlone(db, jobsOf(tenantId, after, limit)),
      );
      return { jobs: items.map((row) => jobOf(row, context.now())), ...rest };
    },
  );

  scope.get(
    '/tenants/:tenant/jobs/:job',
    {
      schema: {
        tags,
        operationId: 'readJob',
        summary: 'Read a job, how far it is, and what came of it so far',
        params,
        response: { 200: JobWithResult, ...problems },
      },
    },
    async ({ tenantId, params: path }) => {
      const [row] = await runAlone(db, jobById(tenantId, idOrNotFound(path.job, 'Job')));
      if (row === undefined) throw notFound('Job');
      return withResult(row, context.now());
    },
  );

  scope.post(
    '/tenants/:tenant/jobs/:job/cancel',
    {
      schema: {
        tags,
        operationId: 'cancelJob',
        summary: 'End a job; what is done stays done',
        params,
        response: { 200: JobWithResult, ...problems },
      },
    },
    async (request) => {
      const { tenantId, params: path } = request;
      const jobId = idOrNotFound(path.job, 'Job');
      return withResult(await cancelJob(context, actorOf(request), { tenantId, jobId }), context.now());
    },
  );
}

function withResult(row: JobRow, now: Date) {
  return { ...jobOf(row, now), result: row.result };
}

function jobOf(row: Omit<JobRow, 'result'>, now: Date) {
  const { id, kind, state, request, done, total, created_at: createdAt, actor: createdBy } = row;
  const { started_at: startedAt, ended_at: endedAt } = row;
  const seconds = startedAt === null ? 0 : ((endedAt ?? now).getTime() - startedAt.getTime()) / 1_000;
  const rate = seconds > 0 && done > 0 ? Math.round((done / seconds) * 10) / 10 : null;
  const etaSeconds = state === 'running' && rate ? Math.ceil((total - done) / rate) : null;
  const progress = { done, total, rate, etaSeconds };
  return { id, kind, state, request, ...progress, createdAt, createdBy, startedAt, endedAt };
}
