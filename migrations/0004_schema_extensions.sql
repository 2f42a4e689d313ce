-- Schemas that a tenant adds to the User resource type (RFC 7643 section 3.3). Creates an empty table: locks
-- nothing that is in use.

create table schema_extension (
  tenant_id uuid not null,
  -- The URN as it was declared, and folded: URNs are compared without case (RFC 8141).
  urn text not null,
  urn_folded text collate "C" not null,
  -- {"name", "description", "required", "attributes"}: as scim/extension.ts reads it.
  definition jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint schema_extension_pkey primary key (tenant_id, urn_folded),
  constraint schema_extension_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
);
