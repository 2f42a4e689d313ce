import { found } from '../db/found.ts';
import { type Step, statement, step } from '../db/statement.ts';

/** Work that outlives its request: a mapping that is applied in chunks, a resync. */

export type JobKind = 'mapping' | 'resync';
type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

export interface JobRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  readonly request: JobRequest;
  /** Who asked, as `actorJson` told it. */
  readonly actor: Readonly<Record<string, unknown>>;
  readonly request_id: string;
  /** All its events have it. */
  readonly change_id: string;
  /** Users: how many there are to be done, and how many are. */
  readonly total: number;
  readonly done: number;
  /** The end of the last range of users that is done; null: none is. */
  readonly cursor: string | null;
  readonly result: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
}

export interface JobRequest {
  /** Of a mapping: the version that was stored when it was queued. */
  readonly version?: number;
  /** Of a resync: whether it writes. */
  readonly fix?: boolean;
  /** Of a resync that writes: the job that had left a mapping unapplied, which this one makes up for. */
  readonly insteadOf?: string;
}

export interface NewJob {
  readonly id: string;
  readonly kind: JobKind;
  readonly request: JobRequest;
  /** JSON. */
  readonly actor: string;
  readonly requestId: string;
  readonly at: Date;
  /** Of a resync: not where one was queued since then. */
  readonly unlessSince?: Date | undefined;
}

const insertJobStatement = statement<{ id: string }>(
  'insert_job',
  `insert into job (tenant_id, id, kind, state, request, actor, request_id, change_id, total, done, result, created_at)
   select $1, $2, $3, 'queued', $4::jsonb, $5::jsonb, $6, $2, (select count(*) from scim_user where tenant_id = $1), 0,
          '{}', $7
   where not exists (select from job where tenant_id = $1 and kind = 'resync' and created_at >= $8::timestamptz)
   on conflict (tenant_id) where kind = 'resync' and ended_at is null do nothing
   returning id`,
);

/**
 * Queues a job over the users of the tenant. Its own id is the change that its events belong to. No row: a resync is
 * unfinished, or was queued since `unlessSince`.
 */
export function insertJob(tenantId: string, job: NewJob): Step<{ id: string }> {
  const { id, kind, request, actor, requestId, at, unlessSince = null } = job;
  const values = [tenantId, id, kind, JSON.stringify(request), actor, requestId, at, unlessSince];
  return step(insertJobStatement, values);
}

const claimJobStatement = statement<JobRow>(
  'claim_job',
  `select j.* from job j
   where j.ended_at is null and (j.retry_at is null or j.retry_at <= $1) and j.id <> all ($3::uuid[])
     and (j.kind = 'mapping' or not exists (
       select from job m where m.tenant_id = j.tenant_id and m.kind = 'mapping' and m.ended_at is null))
   order by j.kind <> $2, coalesce(j.advanced_at, j.created_at) limit 1
   for update of j skip locked`,
);

/**
 * The job that is next, held by this transaction, so that nobody else works on it and nothing is left to clean up when
 * the process dies: of this kind where there is one, and of several the one whose last chunk is longest ago. A tenant's
 * resync waits for its mappings: what they have not applied yet would look like drift.
 * @param passed ids of jobs that cannot be advanced now
 */
export function claimJob(now: Date, kind: JobKind, passed: readonly string[]): Step<JobRow> {
  return step(claimJobStatement, [now, kind, passed]);
}

/** The users of the next chunk. */
export interface ChunkRow {
  readonly users: number;
  /** The last of them; null: none is left. */
  readonly last: string | null;
  /** Whether there are any behind them. */
  readonly more: boolean;
}

/** So many memberships in groups are enough for a chunk: each may give a grant, and those are what takes time. */
const MOST_MEMBERSHIPS = 20_000;

const chunkStatement = statement<ChunkRow>(
  'chunk_of_job',
  `with next as materialized (
     select id, coalesce(sum(groups) over (order by id rows between unbounded preceding and 1 preceding), 0) as before
     from (select id from scim_user where tenant_id = $1 and id > $2 order by id limit $3 + 1) as u
          cross join lateral (select count(*) as groups from (${found('group_member', 'user_id', 'u.id')}) as m) as m
   ), chunk as (
     select id from next where before < ${MOST_MEMBERSHIPS} order by id limit $3
   )
   select count(*) as users, (array_agg(id order by id desc))[1] as last,
          count(*) < (select count(*) from next) as more
   from chunk`,
);

/** The first users with ids above `after`: `most` at most, and fewer where they are in many groups. */
export function chunkOf(tenantId: string, after: string, most: number): Step<ChunkRow> {
  return step(chunkStatement, [tenantId, after, most]);
}

/** How far a job has come. */
export type Progress = Pick<JobRow, 'state' | 'total' | 'done' | 'cursor' | 'result'>;

const advancedStatement = statement<unknown>(
  'job_advanced',
  `update job set state = $3, total = $4, done = $5, cursor = $6, result = $7::jsonb,
          started_at = coalesce(started_at, $8::timestamptz),
          ended_at = case when $3 <> 'running' then $8::timestamptz end, failures = 0, retry_at = null,
          advanced_at = $8::timestamptz
   where tenant_id = $1 and id = $2`,
);

/** Notes how far a job has come that this transaction holds. */
export function jobAdvanced({ tenant_id: tenantId, id }: JobRow, progress: Progress, at: Date): Step {
  const { state, total, done, cursor, result } = progress;
  return step(advancedStatement, [tenantId, id, state, total, done, cursor, JSON.stringify(result), at]);
}

const setbackStatement = statement<Pick<JobRow, 'state'>>(
  'job_set_back',
  `update job set failures = failures + 1,
          retry_at = $4::timestamptz + interval '5 seconds' * 2 ^ failures,
          state = case when failures + 1 < $5 then state else 'failed' end,
          ended_at = case when failures + 1 < $5 then null else $4::timestamptz end,
          result = case when failures + 1 < $5 then result else result || jsonb_build_object('failure', $3::text) end
   where tenant_id = $1 and id = $2 and ended_at is null returning state`,
);

/** So many failures in a row end a job; the waits between them grow from 5 seconds to more than 5 minutes. */
const MOST_FAILURES = 8;

/** Notes that a chunk has failed, after which its job waits, or has failed for good: that for this reason. */
export function jobSetBack(
  { tenant_id: tenantId, id }: JobRow,
  reason: string,
  at: Date,
): Step<Pick<JobRow, 'state'>> {
  return step(setbackStatement, [tenantId, id, reason, at, MOST_FAILURES]);
}

const cancelJobStatement = statement<JobRow>(
  'cancel_job',
  `update job set state = 'cancelled', ended_at = $3 where tenant_id = $1 and id = $2 and ended_at is null returning *`,
);

/** Ends a job behind the chunk at work; no row: it is not there, or has ended. */
export function cancelJobRow(tenantId: string, id: string, at: Date): Step<JobRow> {
  return step(cancelJobStatement, [tenantId, id, at]);
}

const jobStatement = statement<JobRow>('job_by_id', `select * from job where tenant_id = $1 and id = $2`);

export function jobById(tenantId: string, id: string): Step<JobRow> {
  return step(jobStatement, [tenantId, id]);
}

const jobsStatement = statement<Omit<JobRow, 'result'>>(
  'jobs_of_tenant',
  `select tenant_id, id, kind, state, request, actor, request_id, change_id, total, done, cursor, created_at, started_at,
          ended_at
   from job where tenant_id = $1 and id < $2 order by id desc limit $3`,
);

/** The jobs before one, the latest first. */
export function jobsOf(tenantId: string, before: string, limit: number): Step<Omit<JobRow, 'result'>> {
  return step(jobsStatement, [tenantId, before, limit]);
}

const unfinishedResyncStatement = statement<{ id: string }>(
  'unfinished_resync',
  `select id from job where tenant_id = $1 and kind = 'resync' and ended_at is null`,
);

export function unfinishedResync(tenantId: string): Step<{ id: string }> {
  return step(unfinishedResyncStatement, [tenantId]);
}

const dueForResyncStatement = statement<{ tenant_id: string }>(
  'tenant_due_for_resync',
  `select tenant_id from tenant t
   where created_at < $1
     and (exists (select from group_mapping m where m.tenant_id = t.tenant_id)
          or exists (select from access_grant g where g.tenant_id = t.tenant_id))
     and not exists (select from job j where j.tenant_id = t.tenant_id and j.kind = 'resync'
                       and (j.created_at >= $1 or j.ended_at is null))
   order by random() limit 1`,
);

/**
 * A tenant that was not resynced since then and has something to be resynced: any of them, so that one that cannot be
 * queued keeps no other waiting.
 */
export function tenantDueForResync(since: Date): Step<{ tenant_id: string }> {
  return step(dueForResyncStatement, [since]);
}

const forgetJobsStatement = statement<unknown>(
  'forget_jobs',
  `delete from job j where tenant_id = $1 and ended_at < $2
     and not exists (select from group_mapping m where m.tenant_id = $1 and m.job_id = j.id)`,
);

/** Removes the jobs of a tenant that ended before then; their events stay. */
export function forgetJobs(tenantId: string, before: Date): Step {
  return step(forgetJobsStatement, [tenantId, before]);
}

const endJobsStatement = statement<unknown>('delete_jobs', `delete from job where tenant_id = $1`);

/** Removes all jobs of a tenant that is to be deleted: before its lock, as whoever works on one holds it first. */
export function deleteJobs(tenantId: string): Step {
  return step(endJobsStatement, [tenantId]);
}
