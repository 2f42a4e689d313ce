-- Counts the changes of a tenant's schema extensions, so that a writer that was planned on an older definition is
-- refused. Adds a column with a constant default: no table is rewritten.

alter table tenant add column schema_version bigint not null default 0;

-- Ends a transaction that was planned on another version; behind the tenant's lock it cannot change any more.
create function require_schema_version(tenant uuid, expected bigint) returns void
  language plpgsql stable as $$
begin
  if not exists (select from tenant t where t.tenant_id = tenant and t.schema_version = expected) then
    raise exception 'the schema of the tenant has another version' using errcode = 'RC001';
  end if;
end
$$;
