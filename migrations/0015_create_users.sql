-- What a new user needs of its tenant, in the statement that inserts it: the lock of those who write, and that the schema
-- is still the one that the user was read by. Volatile, so that it sees what the lock has waited for.
create function hold_tenant_at_schema(tenant uuid, expected bigint) returns void
  language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended(tenant::text, 0));
  perform require_schema_version(tenant, expected);
end
$$;
