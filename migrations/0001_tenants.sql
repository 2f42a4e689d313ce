-- Tenants, their directories and the credentials. Creates empty tables: locks nothing that is in use.
-- Every table that belongs to tenants leads with tenant_id, and every foreign key carries it, so a row that
-- crosses tenants cannot be stored.

create table tenant (
  tenant_id uuid not null,
  name text not null,
  display_name text,
  -- Only what differs from the defaults in tenants/settings.ts.
  settings jsonb not null default '{}',
  created_at timestamptz not null,
  constraint tenant_pkey primary key (tenant_id),
  constraint tenant_name_key unique (name)
);

create table directory (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  display_name text,
  created_at timestamptz not null,
  constraint directory_pkey primary key (tenant_id, id),
  constraint directory_name_key unique (tenant_id, name),
  constraint directory_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
);

create table api_key (
  tenant_id uuid not null,
  id uuid not null,
  -- The directory that a key with scope scim sees and writes.
  directory_id uuid,
  name text not null,
  scopes text[] not null,
  -- The first characters of the key, for people who must tell two keys apart.
  prefix text not null,
  secret_hash bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  -- The key that a rotation made of this one; revoking it lets this one be rotated again.
  successor_id uuid,
  constraint api_key_pkey primary key (tenant_id, id),
  constraint api_key_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade,
  constraint api_key_directory_exists foreign key (tenant_id, directory_id)
    references directory (tenant_id, id) on delete cascade,
  constraint api_key_with_scope_scim_has_a_directory check (('scim' = any (scopes)) = (directory_id is not null))
);
create index api_key_by_directory on api_key (tenant_id, directory_id);

-- Belongs to the operator and serves all tenants: the one credential without a tenant.
create table service_key (
  id uuid not null,
  name text not null,
  scopes text[] not null,
  prefix text not null,
  secret_hash bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  constraint service_key_pkey primary key (id)
);
