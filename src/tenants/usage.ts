import type { Database } from '../db/database.ts';
import { statement, step } from '../db/statement.ts';
import { pipeline } from '../db/transaction.ts';
import type { KeyIds } from './key-format.ts';

interface Use {
  readonly tenantId: string | null;
  readonly keyId: string;
  readonly at: Date;
}

const writeLastUseStatement = statement<unknown>(
  'write_last_use',
  `with used as (
     select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as u (tenant_id, id, at)
   ), api_keys as (
     update api_key k set last_used_at = used.at from used
     where k.tenant_id = used.tenant_id and k.id = used.id
       and (k.last_used_at is null or k.last_used_at <= used.at - interval '1 minute')
   )
   update service_key k set last_used_at = used.at from used
   where used.tenant_id is null and k.id = used.id
     and (k.last_used_at is null or k.last_used_at <= used.at - interval '1 minute')`,
);

/** Which keys were used when, kept in memory until it is written: no request waits for it. */
export interface Usage {
  mark(key: KeyIds, at: Date): void;
  /** Writes the last uses, each key's at most once a minute whatever the number of instances. */
  flush(): Promise<void>;
}

export function makeUsage(database: Database): Usage {
  let uses = new Map<string, Use>();

  async function flush(): Promise<void> {
    const written = uses;
    if (written.size === 0) return;
    uses = new Map();
    const rows = [...written.values()];
    const values = [rows.map((use) => use.tenantId), rows.map((use) => use.keyId), rows.map((use) => use.at)];
    try {
      // As a pipeline, because two instances that write the same keys in another order may meet in a deadlock.
      await pipeline(database, [step(writeLastUseStatement, values)]);
    } catch (error) {
      uses = new Map([...written, ...uses]);
      throw error;
    }
  }

  return {
    mark: ({ keyId, tenantId }, at) => uses.set(keyId, { tenantId: tenantId ?? null, keyId, at }),
    flush,
  };
}
