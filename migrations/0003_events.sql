-- Events: audit row and outbox row are the same row. Creates empty tables: locks nothing that is in use.

-- Written in the transaction of the change it tells of; sequence and hash are given after the commit by the
-- sealer (events/seal.ts), and readers see sealed events only. No foreign key on tenant: every writer of a
-- tenant would lock that one row. Deleting a tenant removes its events in the same transaction.
create table event (
  tenant_id uuid not null,
  -- The order of insertion, over all tenants.
  position bigint generated always as identity,
  id uuid not null default gen_random_uuid(),
  type text not null,
  at timestamptz not null,
  actor jsonb not null,
  resource_type text not null,
  resource_id uuid,
  reason jsonb,
  before jsonb,
  after jsonb,
  -- Of reason, before and after, once they are erased: it stands for them in the chain.
  payload_digest bytea,
  -- Shared by the events of one change.
  change_id uuid not null,
  request_id text,
  sequence bigint,
  hash bytea,
  constraint event_pkey primary key (tenant_id, position),
  constraint event_is_sealed_whole check ((sequence is null) = (hash is null)),
  constraint event_is_erased_whole check (payload_digest is null or num_nonnulls(reason, before, after) = 0)
);
create unique index event_sequence_key on event (tenant_id, sequence) where sequence is not null;
create index event_by_resource on event (tenant_id, resource_id, sequence) where sequence is not null;
create index event_by_type on event (tenant_id, type, sequence) where sequence is not null;
create index event_unsealed on event (position) where sequence is null;

-- The end of each tenant's chain.
create table event_chain (
  tenant_id uuid not null,
  sequence bigint not null,
  hash bytea not null,
  constraint event_chain_pkey primary key (tenant_id)
);

-- Who does a task that one process of the database does at a time; belongs to no tenant.
create table lease (
  name text not null,
  holder uuid not null,
  expires_at timestamptz not null,
  constraint lease_pkey primary key (name)
);

-- The payload of an event enters the chain as a digest of its own, which is kept when the payload is erased.
create function event_payload_digest(e event) returns bytea
  language sql stable parallel safe
  return coalesce(e.payload_digest,
    sha256(convert_to(json_build_array(e.reason, e.before, e.after)::text, 'UTF8')));

-- What the chain holds of an event: a digest of all that it tells.
create function event_digest(e event) returns bytea
  language sql stable parallel safe
  return sha256(convert_to(json_build_array(
    e.id, e.type, extract(epoch from e.at), e.actor, e.resource_type, e.resource_id, e.change_id, e.request_id,
    encode(event_payload_digest(e), 'hex')
  )::text, 'UTF8'));

-- hash(n) = sha256(hash(n-1) || digest(n)): the chain of a run of events, from the hash before it. The first
-- hash of a tenant follows sha256(tenant_id).
create function event_chain_step(state bytea, start bytea, digest bytea) returns bytea
  language sql immutable parallel safe
  return sha256(coalesce(state, start) || digest);
create aggregate event_chain_hash(start bytea, digest bytea) (
  sfunc = event_chain_step,
  stype = bytea
);
