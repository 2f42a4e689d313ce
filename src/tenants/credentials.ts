import type { Context, Principal, Scope } from '../context.ts';
import { type Statement, type Step, statement, step } from '../db/statement.ts';
import { runAlone } from '../db/transaction.ts';
import type { PresentedKey } from './key-format.ts';
import { EXTENSIONS_OF_TENANT, extensionsOf } from './schema-extensions.ts';
import { completeSettings } from './settings.ts';

/** A stored key: who its holder is, and what decides whether it holds. */
export interface Credential {
  readonly principal: Principal;
  readonly secretHash: Buffer;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly scopes: Scope[];
  readonly secret_hash: Buffer;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

interface ApiKeyRow extends KeyRow {
  readonly tenant_id: string;
  readonly tenant_name: string;
  readonly settings: Record<string, unknown>;
  readonly directory_id: string | null;
  readonly directory_name: string | null;
  readonly extensions: string | null;
  readonly schema_version: number;
}

const apiKeyStatement = statement<ApiKeyRow>(
  'api_key_with_tenant',
  `select k.id, k.name, k.scopes, k.secret_hash, k.expires_at, k.revoked_at,
          t.tenant_id, t.name as tenant_name, t.settings, t.schema_version, d.id as directory_id, d.name as directory_name,
          ${EXTENSIONS_OF_TENANT} as extensions
   from api_key k
   join tenant t on t.tenant_id = k.tenant_id
   left join directory d on d.tenant_id = k.tenant_id and d.id = k.directory_id
   where k.tenant_id = $1 and k.id = $2`,
);

const serviceKeyStatement = statement<KeyRow>(
  'service_key',
  `select id, name, scopes, secret_hash, expires_at, revoked_at from service_key where id = $1`,
);

/**
 * The look-ups of keys that nobody has seen yet are sent in one name: who asks is not known, and names that anybody can
 * make up would have a turn each. A key that has held asks in its own name, and waits for no made-up one.
 */
const senderOf = ({ hasHeld, tenantId, keyId }: PresentedKey) =>
  hasHeld ? (tenantId ?? keyId) : 'credentials';

/** What the database knows of the key with these ids; its secret is not compared. */
export async function findCredential(
  db: Context['db'],
  presented: PresentedKey,
): Promise<Credential | undefined> {
  const { keyId, tenantId } = presented;
  const lookUp = <Row>(statement: Statement<Row>, ids: readonly string[]): Step<Row> => ({
    ...step(statement, ids),
    sender: senderOf(presented),
  });
  if (tenantId === undefined) {
    const [row] = await runAlone(db, lookUp(serviceKeyStatement, [keyId]));
    return row && credentialOf(row, { kind: 'service_key', id: row.id, name: row.name, scopes: row.scopes });
  }
  const [row] = await runAlone(db, lookUp(apiKeyStatement, [tenantId, keyId]));
  return row && credentialOf(row, apiKeyPrincipal(row));
}

function apiKeyPrincipal(row: ApiKeyRow): Principal {
  const { directory_id: id, directory_name: name } = row;
  return {
    kind: 'api_key',
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    tenant: {
      id: row.tenant_id,
      name: row.tenant_name,
      settings: completeSettings(row.settings),
      extensions: extensionsOf(row.extensions),
      schemaVersion: row.schema_version,
    },
    ...(id !== null && name !== null && { directory: { id, name } }),
  };
}

function credentialOf(row: KeyRow, principal: Principal): Credential {
  return { principal, secretHash: row.secret_hash, expiresAt: row.expires_at, revokedAt: row.revoked_at };
}
