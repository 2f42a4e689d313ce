import { advanceJob } from '../../src/actions/advance-job.ts';
import type { JobKind } from '../../src/reconcile/jobs.ts';
import type { AnyBody, TestApp } from './app.ts';
import { clientOf } from './client.ts';
import { crowd, teamOfEach, userId } from './crowd.ts';

/** Jobs as tests look at them, driven turn by turn, and tenants that keep one busy. */

interface JobBody {
  readonly id: string;
  readonly state: string;
  readonly done: number;
  readonly total: number;
  readonly rate: number | null;
  readonly etaSeconds: number | null;
  readonly result: AnyBody;
}

interface Changed {
  readonly version: number;
  readonly state: string;
  readonly job: string;
}

/** So many users does a job do at once here. */
export const CHUNK = 500;

/** As the worker does it. */
const turn = (kind: JobKind) => ({ kind, chunkOf: () => CHUNK });

/** More than 20,000 grants are to be written for so many users in so many groups. */
export const USERS = 4_100;
export const GROUPS = 5;
export const CHUNKS = 9;
export const MAPPING = { tenant_owners_groups: ['Owners'], mappings: teamOfEach(GROUPS) };

/** The worker's turns until there is nothing to do; how many chunks that were. */
export async function work({ context }: Pick<TestApp, 'context'>): Promise<number> {
  let chunks = 0;
  while (await advanceJob(context, turn('mapping'))) chunks += 1;
  return chunks;
}

export async function chunks(
  { context }: Pick<TestApp, 'context'>,
  count: number,
  kind: JobKind = 'mapping',
): Promise<void> {
  for (let done = 0; done < count; done += 1) await advanceJob(context, turn(kind));
}

/** What a tenant's jobs and grants are, and the events of it. */
export function jobsOf(app: TestApp, tenantId: string) {
  const path = `/tenants/${tenantId}`;
  const { pool } = app.context.db;
  return {
    path,
    job: async (id: string) => (await app.admin<JobBody>('GET', `${path}/jobs/${id}`)).body,
    cancel: (id: string) => app.admin('POST', `${path}/jobs/${id}/cancel`),
    resync: (query = '') => app.admin<{ job: string }>('POST', `${path}/resync${query}`),
    mapping: async () => (await app.admin<Changed>('GET', `${path}/group-mapping`)).body,
    put: (document: object, query = '') =>
      app.admin<Changed>('PUT', `${path}/group-mapping?createTeams=true${query}`, document),
    async grants(where = 'true'): Promise<number> {
      const text = `select count(*) from access_grant where tenant_id = $1 and ${where}`;
      return (await pool.query<{ count: number }>(text, [tenantId])).rows[0]?.count ?? 0;
    },
    /** The events of these types, in their order. */
    async told(type: string): Promise<AnyBody[]> {
      await app.sealEvents();
      const text = `select type, actor, after, reason, change_id from event
                    where tenant_id = $1 and type ~ $2 order by sequence`;
      return (await pool.query<AnyBody>(text, [tenantId, type])).rows;
    },
  };
}

/** A tenant whose mapping was just put, and is to be applied by a job. */
export async function applyingTenant(app: TestApp) {
  const tenant = await app.createTenant();
  await crowd(app, tenant, USERS, GROUPS);
  const client = clientOf(app, await app.scimKey(tenant));
  await client.group('Owners', [userId(USERS)]);
  const jobs = jobsOf(app, tenant.id);
  const { status, body: changed } = await jobs.put(MAPPING);
  return { tenant, client, status, changed, ...jobs };
}
