import { NIL } from 'uuid';
import { readMappingDocument } from '../../src/reconcile/mapping-document.ts';
import { compileMapping } from '../../src/reconcile/mapping-rows.ts';
import { listPermissions } from '../../src/reconcile/permissions.ts';
import { rolesOf } from '../../src/reconcile/roles.ts';
import type { TestApp } from './app.ts';

/**
 * Makes the document the tenant's mapping, as a next version. Nobody is reconciled by it: what is pushed, or edited by
 * hand, behind it is.
 */
export async function storeMapping(
  { context: { db } }: TestApp,
  tenantId: string,
  document: object,
): Promise<void> {
  const roles = await rolesOf(db.kysely, tenantId);
  const permissions = await listPermissions(db.kysely, tenantId, {
    after: NIL,
    limit: 1_000,
  });
  const read = readMappingDocument(document, {
    roles: new Set(roles.map(({ name }) => name)),
    permissions: new Set(permissions.map(({ name }) => name)),
    directories: new Set(['default']),
    identityProviders: new Set(),
  });
  const rows = JSON.stringify(compileMapping(read, roles));
  const { rows: made } = await db.pool.query<{ version: number }>(
    `insert into group_mapping_version
     select $1, coalesce(max(version), 0) + 1, $2, false, '{"kind": "put"}', '{"kind": "operator"}', now()
     from group_mapping_version where tenant_id = $1
     returning version`,
    [tenantId, JSON.stringify(read)],
  );
  const version = made[0]?.version;
  // No sign-in counts by the versions before.
  await db.pool.query('delete from mapping_row where tenant_id = $1 and version < $2', [tenantId, version]);
  await db.pool.query(
    `insert into group_mapping values ($1, $2) on conflict (tenant_id) do update set version = excluded.version`,
    [tenantId, version],
  );
  await db.pool.query(
    `insert into mapping_row (tenant_id, version, match, precedence, "row", directory, identity_provider, kind, target,
                              role)
     select $1, $2, match, precedence, "row", directory, "identityProvider", kind, coalesce(target, ''), role
     from json_to_recordset($3) as r (match text, precedence integer, "row" text, directory text,
                                      "identityProvider" text, kind text, target text, role text)`,
    [tenantId, version, rows],
  );
}
