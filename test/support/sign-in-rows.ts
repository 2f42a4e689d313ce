import { randomUUID } from 'node:crypto';
import type { TestApp } from './app.ts';

/** What sign-ins leave behind, as rows: for tests of what admins make of it. */

interface ProviderOptions {
  readonly enabled?: boolean;
  /** A domain of the tenant that is bound to it. */
  readonly domain?: string;
  /** A team's id: what the newly created get, as VIEWER. */
  readonly defaultTeam?: string;
}

/** An identity provider without settings: its id. */
export async function makeProvider(
  { context }: Pick<TestApp, 'context'>,
  tenantId: string,
  name: string,
  { enabled = true, domain, defaultTeam }: ProviderOptions = {},
): Promise<string> {
  const { pool } = context.db;
  const id = randomUUID();
  await pool.query(
    `insert into identity_provider (tenant_id, id, name, kind, jit, enabled, settings, default_team_id, default_role, version,
                                    created_at, updated_at)
     values ($1, $2, $3, 'saml', 'off', $4, '{}', $5, $6, 1, now(), now())`,
    [tenantId, id, name, enabled, defaultTeam, defaultTeam && 'VIEWER'],
  );
  if (domain !== undefined) {
    await pool.query('insert into identity_provider_domain values ($1, $2, $3)', [tenantId, domain, id]);
  }
  return id;
}

/** An open conflict with the user, of a provider of its own where none is named: its id. */
export async function makeConflict(
  app: Pick<TestApp, 'context'>,
  tenantId: string,
  userId: string,
  { provider = '', subject = 'subject' } = {},
): Promise<string> {
  const id = randomUUID();
  const providerId = provider || (await makeProvider(app, tenantId, `provider-${id.slice(0, 8)}`));
  await app.context.db.pool.query(
    `insert into sign_in_conflict (tenant_id, id, identity_provider_id, subject, email, user_id, reason, state, seen_at, times,
                                   created_at)
     values ($1, $2, $3, $4, 'ada@acme.example', $5, 'user_name_taken', 'open', '2026-03-04T05:06:07Z', 2,
             '2026-03-03T05:06:07Z')`,
    [tenantId, id, providerId, subject, userId],
  );
  return id;
}
