import type { ColumnType, Generated } from 'kysely';

/** The tables of `migrations/`, as Kysely sees them. A test compares this with the migrated database. */

type Json<T> = ColumnType<T, string, string>;

/** What domains and invitations give, as `grants` of their rows holds it. */
export interface TeamGrant {
  readonly teamId: string;
  /** Upper case. */
  readonly role: string;
}

export interface TenantTable {
  tenant_id: string;
  name: string;
  display_name: string | null;
  settings: Json<Record<string, unknown>>;
  created_at: Date;
  schema_version: Generated<number>;
}

export interface DirectoryTable {
  tenant_id: string;
  id: string;
  name: string;
  display_name: string | null;
  created_at: Date;
}

export interface ServiceKeyTable {
  id: string;
  name: string;
  scopes: string[];
  prefix: string;
  secret_hash: Buffer;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

export interface ApiKeyTable extends ServiceKeyTable {
  tenant_id: string;
  directory_id: string | null;
  successor_id: string | null;
}

export interface UserTable {
  tenant_id: string;
  id: string;
  directory_id: string | null;
  user_name_folded: string;
  external_id: string | null;
  active: boolean | null;
  version: number;
  created_at: Date;
  updated_at: Date;
  body: string;
  search: Json<unknown>;
  lookup: string[];
  product_user_id: string | null;
}

export interface GroupTable {
  tenant_id: string;
  id: string;
  directory_id: string;
  display_name: string;
  display_name_folded: string;
  external_id: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
  body: string;
  search: Json<unknown>;
}

export interface GroupMemberTable {
  tenant_id: string;
  group_id: string;
  user_id: string;
}

export interface EventTable {
  tenant_id: string;
  position: Generated<number>;
  id: Generated<string>;
  type: string;
  at: Date;
  actor: Json<Record<string, unknown>>;
  resource_type: string;
  resource_id: string | null;
  reason: Json<unknown> | null;
  before: Json<unknown> | null;
  after: Json<unknown> | null;
  payload_digest: Buffer | null;
  change_id: string;
  request_id: string | null;
  sequence: number | null;
  hash: Buffer | null;
}

export interface EventChainTable {
  tenant_id: string;
  sequence: number;
  hash: Buffer;
}

export interface LeaseTable {
  name: string;
  holder: string;
  expires_at: Date;
}

export interface SchemaExtensionTable {
  tenant_id: string;
  urn: string;
  urn_folded: string;
  definition: Json<Record<string, unknown>>;
  created_at: Date;
  updated_at: Date;
}

export interface TeamTable {
  tenant_id: string;
  id: string;
  name: string;
  name_folded: string;
  kind: 'team' | 'case_group';
  external_id: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

export interface RoleTable {
  tenant_id: string;
  name: string;
  display_name: string | null;
  rank: number;
  created_at: Date;
}

export interface ToleranceUseTable {
  tenant_id: string;
  key_id: string;
  name: string;
  count: number;
  last_seen_at: Date;
}

export interface RefusedRequestTable {
  tenant_id: string;
  id: string;
  at: Date;
  key_id: string;
  method: string;
  path: string;
  status: number;
  scim_type: string | null;
  detail: string;
  hint: string;
  request_id: string;
}

export interface PermissionTable {
  tenant_id: string;
  id: string;
  name: string;
  description: string | null;
  created_at: Date;
}

export interface GroupMappingVersionTable {
  tenant_id: string;
  version: number;
  document: Json<Record<string, unknown>>;
  keeps_unmapped: boolean;
  cause: Json<Record<string, unknown>>;
  author: Json<Record<string, unknown>>;
  created_at: Date;
}

export interface GroupMappingTable {
  tenant_id: string;
  version: number;
  job_id: string | null;
}

export interface MappingRowTable {
  tenant_id: string;
  version: number;
  match: string;
  precedence: number;
  row: string;
  directory: string | null;
  identity_provider: string | null;
  kind: 'team' | 'case_group' | 'owner' | 'permission';
  target: string;
  role: string | null;
}

export interface JitSyncTable {
  tenant_id: string;
  user_id: string;
  identity_provider: string;
  mode: 'standard' | 'enhanced';
  mapping_version: number;
  groups: string[];
  synced_at: Date;
}

export interface AccessGrantTable {
  tenant_id: string;
  target_id: string;
  user_id: string;
  origin: string;
  role: string | null;
  suspended: boolean;
  since: Date;
  mapping_version: number | null;
  row: string | null;
  precedence: number | null;
  group_id: string | null;
  group_name: string | null;
  change_id: string;
}

export interface AccessGrantHistoryTable extends AccessGrantTable {
  position: Generated<number>;
  until: Date;
  ended_by: string;
}

export interface JobTable {
  tenant_id: string;
  id: string;
  kind: 'mapping' | 'resync';
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  request: Json<Record<string, unknown>>;
  actor: Json<Record<string, unknown>>;
  request_id: string;
  change_id: string;
  total: number;
  done: number;
  cursor: string | null;
  result: Json<Record<string, unknown>>;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  failures: Generated<number>;
  retry_at: Date | null;
  advanced_at: Date | null;
}

export interface IdentityProviderTable {
  tenant_id: string;
  id: string;
  name: string;
  display_name: string | null;
  kind: 'saml' | 'oidc' | 'claims';
  jit: 'off' | 'standard' | 'enhanced';
  enabled: boolean;
  settings: Json<Record<string, unknown>>;
  default_team_id: string | null;
  default_role: string | null;
  encryption_certificate: string | null;
  encryption_key: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

export interface IdentityLinkTable {
  tenant_id: string;
  identity_provider_id: string;
  subject: string;
  user_id: string;
  proof: 'created' | 'matched' | 'admin';
  linked_at: Date;
  last_sign_in_at: Date | null;
  group_state: 'list' | 'empty' | 'absent' | 'overage';
  groups: string[];
  groups_seen_at: Date | null;
}

export interface ConsumedAssertionTable {
  tenant_id: string;
  identity_provider_id: string;
  assertion_hash: Buffer;
  consumed_at: Date;
  expires_at: Date;
  retry_hash: Buffer | null;
  status: number;
  answer: string | null;
}

export interface TombstoneTable {
  tenant_id: string;
  key: string;
  user_id: string;
  directory_id: string | null;
  deleted_at: Date;
}

export interface SignInConflictTable {
  tenant_id: string;
  id: string;
  identity_provider_id: string;
  subject: string;
  email: string | null;
  user_id: string;
  reason: string;
  state: 'open' | 'linked' | 'rejected' | 'settled';
  seen_at: Date;
  times: number;
  created_at: Date;
  resolved_at: Date | null;
  resolved_by: Json<Record<string, unknown>> | null;
}

export interface DomainTable {
  tenant_id: string;
  name: string;
  challenge: string;
  verified_at: Date | null;
  verified_by: 'dns' | 'operator' | null;
  jit: boolean;
  grants: ColumnType<TeamGrant[], string, string>;
  created_at: Date;
}

export interface IdentityProviderDomainTable {
  tenant_id: string;
  domain: string;
  identity_provider_id: string;
}

export interface InvitationTable {
  tenant_id: string;
  id: string;
  email: string;
  email_folded: string;
  grants: ColumnType<TeamGrant[], string, string>;
  state: 'pending' | 'accepted' | 'expired' | 'revoked';
  expires_at: Date;
  created_at: Date;
  created_by: Json<Record<string, unknown>>;
  ended_at: Date | null;
  user_id: string | null;
}

export interface Tables {
  tenant: TenantTable;
  directory: DirectoryTable;
  api_key: ApiKeyTable;
  service_key: ServiceKeyTable;
  scim_user: UserTable;
  scim_group: GroupTable;
  group_member: GroupMemberTable;
  event: EventTable;
  event_chain: EventChainTable;
  lease: LeaseTable;
  schema_extension: SchemaExtensionTable;
  team: TeamTable;
  role: RoleTable;
  tolerance_use: ToleranceUseTable;
  refused_request: RefusedRequestTable;
  permission: PermissionTable;
  group_mapping_version: GroupMappingVersionTable;
  group_mapping: GroupMappingTable;
  mapping_row: MappingRowTable;
  jit_sync: JitSyncTable;
  access_grant: AccessGrantTable;
  access_grant_history: AccessGrantHistoryTable;
  job: JobTable;
  identity_provider: IdentityProviderTable;
  identity_link: IdentityLinkTable;
  consumed_assertion: ConsumedAssertionTable;
  tombstone: TombstoneTable;
  sign_in_conflict: SignInConflictTable;
  domain: DomainTable;
  identity_provider_domain: IdentityProviderDomainTable;
  invitation: InvitationTable;
}
