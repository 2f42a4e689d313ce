-- Who holds what in the product, and why: the group mapping, grants with their history, tenant permissions, jobs.
-- Creates empty tables, and adds a column without a default: no table is rewritten.

-- What the product knows as rights on the whole tenant, beside its ownership.
create table permission (
  tenant_id uuid not null,
  -- What grants name it by.
  id uuid not null,
  name text collate "C" not null,
  description text,
  created_at timestamptz not null,
  constraint permission_pkey primary key (tenant_id, id),
  constraint permission_name_key unique (tenant_id, name),
  constraint permission_name_is_upper_case check (name ~ '^[A-Z][A-Z0-9_]{0,62}$'),
  constraint permission_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
);

-- The documents, every one that ever held.
create table group_mapping_version (
  tenant_id uuid not null,
  version integer not null,
  -- Canonical, as reconcile/mapping-document.ts reads and writes it.
  document jsonb not null,
  -- on_unmap: whether members of a team that lost its last row stay, by hand.
  keeps_unmapped boolean not null,
  -- What made it: {"kind": "put" | "revert" | "group_renamed" | "team_renamed", …}.
  cause jsonb not null,
  author jsonb not null,
  created_at timestamptz not null,
  constraint group_mapping_version_pkey primary key (tenant_id, version),
  constraint group_mapping_version_tenant_exists foreign key (tenant_id)
    references tenant (tenant_id) on delete cascade
);

-- The version that holds; no row: the tenant has no mapping.
create table group_mapping (
  tenant_id uuid not null,
  version integer not null,
  -- The job that still applies it; null: it is applied.
  job_id uuid,
  constraint group_mapping_pkey primary key (tenant_id),
  constraint group_mapping_version_exists foreign key (tenant_id, version)
    references group_mapping_version (tenant_id, version) on delete cascade
);
create index group_mapping_by_version on group_mapping (tenant_id, version);

-- A document as planning reads it: one row for each right that a group gives. Kept for the version that holds, and
-- for those by which sign-ins were last synced.
create table mapping_row (
  tenant_id uuid not null,
  version integer not null,
  -- What the row finds groups by: 'name:Analysts', or 'id:' with our id, an externalId, or the id that claims carry.
  match text collate "C" not null,
  -- Lower wins where several rows give one person the same target; no two rows of a version share it.
  precedence integer not null,
  -- JSON pointer into the canonical document.
  "row" text not null,
  -- Only groups of this directory, only claims of this identity provider; null: of any.
  directory text,
  identity_provider text,
  kind text not null,
  -- The team's, case group's or permission's name; empty: tenant owner.
  target text collate "C" not null,
  -- null: the target is a right without roles.
  role text,
  constraint mapping_row_pkey primary key (tenant_id, version, match, precedence),
  constraint mapping_row_kind_is_known check (kind in ('team', 'case_group', 'owner', 'permission')),
  constraint mapping_row_names_a_target check ((target = '') = (kind = 'owner')),
  constraint mapping_row_version_exists foreign key (tenant_id, version)
    references group_mapping_version (tenant_id, version) on delete cascade
);
-- The version last: beginning like the primary key, it would be taken for looking up keys in rows just stored.
create index mapping_row_by_target on mapping_row (tenant_id, kind, target, version);

-- What one sign-in synced: by it the user's grants of that identity provider are desired.
create table jit_sync (
  tenant_id uuid not null,
  user_id uuid not null,
  -- Name.
  identity_provider text not null,
  mode text not null,
  -- The version of the mapping, and the claims, by which the grants hold.
  mapping_version integer not null,
  groups text[] not null,
  synced_at timestamptz not null,
  constraint jit_sync_pkey primary key (tenant_id, user_id, identity_provider),
  constraint jit_sync_mode_is_known check (mode in ('standard', 'enhanced')),
  constraint jit_sync_user_exists foreign key (tenant_id, user_id)
    references scim_user (tenant_id, id) on delete cascade
);
create index jit_sync_by_version on jit_sync (tenant_id, mapping_version);

-- One origin's claim that a user holds a role in a team, a permission, or the tenant. Without foreign keys, which
-- would triple a bulk write: whoever deletes a user or a target ends its grants in the same transaction, and the
-- drift check looks for orphans.
create table access_grant (
  tenant_id uuid not null,
  -- The team's or the permission's id; the nil UUID: tenant owner.
  target_id uuid not null,
  user_id uuid not null,
  -- 'manual', 'scim:<directory>', 'jit:<identity provider>', 'email_domain', 'invitation', 'retention'.
  origin text collate "C" not null,
  -- null: a right without roles.
  role text,
  -- The user is not active: the claim is kept, and holds nothing.
  suspended boolean not null,
  -- Since when it is as it is.
  since timestamptz not null,
  -- What gave it: the mapping's version and row, and the group or claim; null where no mapping did.
  mapping_version integer,
  "row" text,
  precedence integer,
  group_id uuid,
  group_name text,
  -- The change that made it as it is; its events have it too.
  change_id uuid not null,
  constraint access_grant_pkey primary key (tenant_id, target_id, user_id, origin)
);
create index access_grant_by_user on access_grant (tenant_id, user_id);

-- Grants as they were: each row held from since until until. No foreign key either: every writer of a tenant would
-- lock its row.
create table access_grant_history (
  tenant_id uuid not null,
  user_id uuid not null,
  position bigint generated always as identity,
  target_id uuid not null,
  origin text collate "C" not null,
  role text,
  suspended boolean not null,
  since timestamptz not null,
  until timestamptz not null,
  mapping_version integer,
  "row" text,
  precedence integer,
  group_id uuid,
  group_name text,
  change_id uuid not null,
  -- The change that ended it.
  ended_by uuid not null,
  constraint access_grant_history_pkey primary key (tenant_id, user_id, position)
);

-- Work that outlives a request. Taken up by one process at a time, chunk by chunk.
create table job (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null,
  state text not null,
  -- What was asked: {"fix": true}, {"version": 7}.
  request jsonb not null,
  actor jsonb not null,
  request_id text not null,
  change_id uuid not null,
  -- Users: how many there were when it began, and how many are behind it.
  total integer not null,
  done integer not null,
  -- The last user that is done; null: none.
  cursor uuid,
  -- What came of it so far.
  result jsonb not null,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  constraint job_pkey primary key (tenant_id, id),
  constraint job_kind_is_known check (kind in ('mapping', 'resync')),
  constraint job_state_is_known check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  constraint job_ends_in_an_end_state check ((ended_at is not null) = (state in ('done', 'failed', 'cancelled'))),
  constraint job_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
);
create index job_unfinished on job (created_at) where ended_at is null;

-- Rows of the mapping name groups by their display names, exactly.
create index scim_group_by_display_name on scim_group (tenant_id, display_name);

-- The events of one change, found by its id.
create index event_by_change on event (tenant_id, change_id, sequence) where sequence is not null;

-- The product's own id of the user, whatever it is.
alter table scim_user add column product_user_id text collate "C";
create unique index scim_user_product_user_id_key on scim_user (tenant_id, product_user_id)
  where product_user_id is not null;
