import { type Step, statement, step } from '../db/statement.ts';

/** Work that outlives its request: a mapping that is applied in chunks, a resync. */

export interface NewJob {
  readonly id: string;
  readonly kind: 'mapping' | 'resync';
  readonly request: Readonly<Record<string, unknown>>;
  /** JSON. */
  readonly actor: string;
  readonly requestId: string;
  readonly at: Date;
}

const insertJobStatement = statement<{ id: string }>(
  'insert_job',
  `insert into job (tenant_id, id, kind, state, request, actor, request_id, change_id, total, done, result, created_at)
   select $1, $2, $3, 'queued', $4::jsonb, $5::jsonb, $6, $2, (select count(*) from scim_user where tenant_id = $1), 0,
          '{}', $7
   returning id`,
);

/** Queues a job over the users of the tenant. Its own id is the change that its events belong to. */
export function insertJob(
  tenantId: string,
  { id, kind, request, actor, requestId, at }: NewJob,
): Step<{ id: string }> {
  return step(insertJobStatement, [tenantId, id, kind, JSON.stringify(request), actor, requestId, at]);
}
