-- The product's side: teams, and the roles that a tenant adds to the built-in ones. Creates empty tables: locks
-- nothing that is in use.

create table team (
  tenant_id uuid not null,
  id uuid not null,
  name text collate "C" not null,
  -- For the Entitlement resource, whose displayName is compared without case (scim/fold.ts).
  name_folded text collate "C" not null,
  kind text not null,
  external_id text collate "C",
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint team_pkey primary key (tenant_id, id),
  -- Matched exactly by the group mapping, so two teams may differ in case alone.
  constraint team_name_key unique (tenant_id, kind, name),
  constraint team_kind_is_known check (kind in ('team', 'case_group')),
  constraint team_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
);

-- Custom roles; the built-in ones are in reconcile/roles.ts. A role is its name: there is no other way to name it.
create table role (
  tenant_id uuid not null,
  -- Upper case, as it is shown; not one of the built-in ones.
  name text collate "C" not null,
  display_name text,
  -- Lower is more permissive; the built-in roles stand at 100, 200, … 500. Of two roles one is always the higher.
  rank integer not null,
  created_at timestamptz not null,
  constraint role_pkey primary key (tenant_id, name),
  constraint role_rank_key unique (tenant_id, rank),
  constraint role_name_is_upper_case check (name ~ '^[A-Z][A-Z0-9_]{0,62}$'),
  constraint role_rank_is_in_range check (rank between 1 and 10000),
  constraint role_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
);
