-- What each client leans on and stumbles over. Creates empty tables: locks nothing that is in use.

-- One row per key and tolerance (scim/quirks.ts); counted in memory, written every few seconds.
create table tolerance_use (
  tenant_id uuid not null,
  key_id uuid not null,
  name text not null,
  count bigint not null,
  last_seen_at timestamptz not null,
  constraint tolerance_use_pkey primary key (tenant_id, key_id, name),
  constraint tolerance_use_key_exists foreign key (tenant_id, key_id)
    references api_key (tenant_id, id) on delete cascade
);

-- The last refusals of a tenant, without bodies and queries; older ones are removed (clients/refused-requests.ts).
create table refused_request (
  tenant_id uuid not null,
  -- UUIDv7: the order of refusal.
  id uuid not null,
  at timestamptz not null,
  key_id uuid not null,
  method text not null,
  path text not null,
  status smallint not null,
  scim_type text,
  detail text not null,
  hint text not null,
  request_id text not null,
  constraint refused_request_pkey primary key (tenant_id, id),
  constraint refused_request_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
);
