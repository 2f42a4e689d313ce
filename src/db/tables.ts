import type { ColumnType, Generated } from 'kysely';

/** The tables of `migrations/`, as Kysely sees them. A test compares this with the migrated database. */

type Json<T> = ColumnType<T, string, string>;

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
}
