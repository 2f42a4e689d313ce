import { randomUUID } from 'node:crypto';
import { NIL } from 'uuid';
import type { MappingDocument } from '../../src/reconcile/mapping-document.ts';
import type { Tenant } from '../../src/tenants/tenants.ts';
import type { TestApp } from './app.ts';
import { storeMapping } from './mapping.ts';

/** What the tests of reading access start from: a mapping, and grants that no push makes. */

export interface Grant {
  /** null: tenant owner. */
  readonly target: string | null;
  readonly user: string;
  readonly origin: string;
  readonly role?: string;
  readonly suspended?: boolean;
  readonly precedence?: number;
}

const AT = '2026-03-04T05:06:07.000Z';

export function accessFixtures(app: TestApp, { id: tenantId }: Pick<Tenant, 'id'>) {
  const { pool } = app.context.db;

  async function permission(name: string): Promise<void> {
    await pool.query('insert into permission values ($1, $2, $3, null, $4)', [
      tenantId,
      randomUUID(),
      name,
      AT,
    ]);
  }

  /** The tenant's mapping; what is pushed behind it is reconciled by it. */
  const mapping = (document: MappingDocument) => storeMapping(app, tenantId, document);

  /** What a sign-in by an identity provider would have written. */
  async function signIn(user: string, identityProvider: string, groups: readonly string[]): Promise<void> {
    await pool.query(`insert into jit_sync values ($1, $2, $3, 'enhanced', 1, $4, $5)`, [
      tenantId,
      user,
      identityProvider,
      groups,
      AT,
    ]);
    await pool.query(
      `insert into identity_provider (tenant_id, id, name, kind, jit, enabled, settings, version, created_at, updated_at)
       values ($1, $2, $3, 'claims', 'enhanced', true, '{}', 1, $4, $4) on conflict do nothing`,
      [tenantId, randomUUID(), identityProvider, AT],
    );
    await pool.query(
      `insert into identity_link
       select $1, id, $2::text, $2::uuid, 'admin', $5, $5, case when $4::text[] = '{}' then 'empty' else 'list' end, $4, $5
       from identity_provider where tenant_id = $1 and name = $3`,
      [tenantId, user, identityProvider, groups, AT],
    );
  }

  async function grant({ target, user, origin, role, suspended = false, precedence }: Grant): Promise<void> {
    await pool.query(
      `insert into access_grant (tenant_id, target_id, user_id, origin, role, suspended, since, precedence, change_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [tenantId, target ?? NIL, user, origin, role, suspended, AT, precedence, randomUUID()],
    );
  }

  async function team(name: string, kind = 'team'): Promise<string> {
    const path = `/tenants/${tenantId}/teams`;
    return (await app.admin<{ id: string }>('POST', path, { name, kind })).body.id;
  }

  return { permission, mapping, signIn, grant, team };
}
