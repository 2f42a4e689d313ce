import { NOTED_USERS } from '../db/noted.ts';
import { type Step, statement, step } from '../db/statement.ts';

/** What a sign-in says of a user's groups, to be synced. */
export interface SignIn {
  readonly userId: string;
  /** Name. */
  readonly identityProvider: string;
  /** `standard` gives once, at the first; `enhanced` gives and takes at every one. */
  readonly mode: 'standard' | 'enhanced';
  /** The claims; null: unknown, so that nothing is taken away (absent, or too many to be told). */
  readonly groups: readonly string[] | null;
}

const syncStatement = statement<unknown>(
  'sync_sign_in',
  `insert into jit_sync as s (tenant_id, user_id, identity_provider, mode, mapping_version, groups, synced_at)
   select $1, u.id, $3, $4, coalesce((select version from group_mapping where tenant_id = $1), 0),
          coalesce($5::text[], '{}'), $6
   from scim_user u where u.tenant_id = $1 and u.id = $2 and u.directory_id is null
   on conflict (tenant_id, user_id, identity_provider) do update
   set mode = excluded.mode,
       mapping_version = case when $4 = 'enhanced' and $5 is not null then excluded.mapping_version else s.mapping_version end,
       groups = case when $4 = 'enhanced' and $5 is not null then excluded.groups else s.groups end,
       synced_at = case when $4 = 'enhanced' and $5 is not null then excluded.synced_at else s.synced_at end`,
);

/**
 * Notes by what the grants of a sign-in are desired from now on: the claims, and the version of the mapping that holds.
 * Of a user whom a directory manages nothing is noted. Behind the lock of the user.
 */
export function noteSignIn(
  tenantId: string,
  { userId, identityProvider, mode, groups }: SignIn,
  at: Date,
): Step {
  return step(syncStatement, [tenantId, userId, identityProvider, mode, groups, at]);
}

const syncModeStatement = statement<unknown>(
  'set_sync_mode',
  `update jit_sync set mode = $3 where tenant_id = $1 and identity_provider = $2 and mode <> $3`,
);

/**
 * Gives what an identity provider has synced so far its new mode. Nothing that users hold follows from it now: it says
 * who decides from here on, the next sign-in or the admins.
 */
export function setSyncMode(tenantId: string, identityProvider: string, mode: SignIn['mode']): Step {
  return step(syncModeStatement, [tenantId, identityProvider, mode]);
}

const endSyncStatement = statement<unknown>(
  'end_sync',
  `delete from jit_sync where tenant_id = $1 and identity_provider = $2`,
);

/** Lets nothing follow any more from what an identity provider has synced. */
export function endSync(tenantId: string, identityProvider: string): Step {
  return step(endSyncStatement, [tenantId, identityProvider]);
}

/** What a sign-in synced last. */
export interface Synced {
  readonly mode: SignIn['mode'];
  readonly groups: readonly string[];
  /** Whether it was by the mapping that holds. */
  readonly current: boolean;
}

const syncedStatement = statement<Synced>(
  'synced_of_noted',
  `with ${NOTED_USERS}
   select j.mode, j.groups, j.mapping_version = coalesce((select version from group_mapping where tenant_id = $1), 0) as current
   from noted join jit_sync j using (user_id)
   where j.tenant_id = $1 and j.identity_provider = $2`,
);

/** What the last sign-in by this identity provider synced, of the user whom the transaction has noted. */
export function syncedOfNoted(tenantId: string, identityProvider: string): Step<Synced> {
  return step(syncedStatement, [tenantId, identityProvider]);
}

const groupAttributeStatement = statement<{ readonly documentGroupAttribute: string | null }>(
  'group_attribute_of_mapping',
  `select v.document ->> 'group_attribute_name' as "documentGroupAttribute"
   from group_mapping m join group_mapping_version v on v.tenant_id = $1 and v.version = m.version
   where m.tenant_id = $1`,
);

/** What the mapping that holds calls the attribute with the groups; no row: there is no mapping. */
export function groupAttributeOfMapping(
  tenantId: string,
): Step<{ readonly documentGroupAttribute: string | null }> {
  return step(groupAttributeStatement, [tenantId]);
}
