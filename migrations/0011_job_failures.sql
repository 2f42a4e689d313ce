-- A job that fails is tried again later, and given up after some failures; a tenant is resynced once at a time.
-- The table is small: it is locked for the moment that this takes.
alter table job
  -- In a row, since the last chunk that succeeded.
  add column failures integer not null default 0,
  -- Not before; null: at once.
  add column retry_at timestamptz;
create unique index job_unfinished_resync on job (tenant_id) where kind = 'resync' and ended_at is null;
