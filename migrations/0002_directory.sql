-- Users, groups and members (RFC 7643). Creates empty tables: locks nothing that is in use.
--
-- body is the resource's JSON text, ready to be sent: everything but id, active, groups, members and meta,
-- which are spliced in from columns. search is the derived copy that filters and sorts run on: text folded by
-- scim/fold.ts, dates in one form. SQL never folds text itself (locales, and it disagrees with JavaScript).
--
-- ids are UUIDv7, so that the primary key is also the order of creation, in which lists are read.

create table scim_user (
  tenant_id uuid not null,
  id uuid not null,
  -- The directory that manages the user; null: unmanaged.
  directory_id uuid,
  user_name_folded text collate "C" not null,
  external_id text collate "C",
  active boolean not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  body text not null,
  search jsonb not null,
  -- Hashes of (tenant, attribute, folded value) for equality look-ups (directory/lookup.ts).
  lookup bigint[] not null,
  constraint scim_user_pkey primary key (tenant_id, id),
  constraint scim_user_user_name_key unique (tenant_id, user_name_folded),
  constraint scim_user_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade,
  constraint scim_user_directory_exists foreign key (tenant_id, directory_id)
    references directory (tenant_id, id)
);
create index scim_user_by_external_id on scim_user (tenant_id, external_id) where external_id is not null;
create index scim_user_by_directory on scim_user (tenant_id, directory_id);
create index scim_user_by_lookup on scim_user using gin (lookup) with (fastupdate = off);

create table scim_group (
  tenant_id uuid not null,
  id uuid not null,
  directory_id uuid not null,
  display_name text not null,
  display_name_folded text collate "C" not null,
  external_id text collate "C",
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  body text not null,
  search jsonb not null,
  constraint scim_group_pkey primary key (tenant_id, id),
  constraint scim_group_display_name_key unique (tenant_id, directory_id, display_name_folded),
  constraint scim_group_directory_exists foreign key (tenant_id, directory_id)
    references directory (tenant_id, id) on delete cascade
);
create index scim_group_by_external_id on scim_group (tenant_id, external_id) where external_id is not null;

create table group_member (
  tenant_id uuid not null,
  group_id uuid not null,
  user_id uuid not null,
  constraint group_member_pkey primary key (tenant_id, group_id, user_id),
  constraint group_member_group_exists foreign key (tenant_id, group_id)
    references scim_group (tenant_id, id) on delete cascade,
  -- A tenant's deletion reaches members by this cascade as well; DELETE of one user removes them by name.
  constraint group_member_user_exists foreign key (tenant_id, user_id)
    references scim_user (tenant_id, id) on delete cascade
);
create index group_member_by_user on group_member (tenant_id, user_id, group_id);
