-- Sign-ins: identity providers, who signs in by them, what was consumed, and the other ways in. Creates tables, of which
-- one is filled (the end of this file). Their foreign keys lock tenant and scim_user against writers, not readers, until the
-- migration ends. It waits 5 seconds at most for those who write already; then the start fails with "lock timeout", nothing
-- has changed, and it can be repeated.

create table identity_provider (
  tenant_id uuid not null,
  id uuid not null,
  -- What origins and mapping rows say: never changes.
  name text not null,
  display_name text,
  kind text not null,
  jit text not null,
  enabled boolean not null,
  -- Everything else, as tenants/identity-providers.ts types it; complete, and without secrets.
  settings jsonb not null,
  -- What the newly created get beside the mapping; a team that is gone gives nothing.
  default_team_id uuid,
  default_role text,
  -- To what SAML assertions to us are encrypted: a certificate in PEM, and its private key, sealed by the secret key.
  encryption_certificate text,
  encryption_key text,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint identity_provider_pkey primary key (tenant_id, id),
  constraint identity_provider_name_key unique (tenant_id, name),
  constraint identity_provider_kind_is_known check (kind in ('saml', 'oidc', 'claims')),
  constraint identity_provider_jit_is_known check (jit in ('off', 'standard', 'enhanced')),
  constraint identity_provider_encryption_is_whole check ((encryption_certificate is null) = (encryption_key is null)),
  constraint identity_provider_default_is_whole check ((default_team_id is null) = (default_role is null)),
  constraint identity_provider_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
);

-- Who signs in by which subject, and what the last sign-in said of their groups.
create table identity_link (
  tenant_id uuid not null,
  identity_provider_id uuid not null,
  -- NameID, sub, or what the attribute mapping says: case-exact.
  subject text collate "C" not null,
  user_id uuid not null,
  -- 'created' by a sign-in, which told the name; 'matched' by one; or linked by an 'admin'.
  proof text not null,
  linked_at timestamptz not null,
  -- null: linked by an admin, not used yet.
  last_sign_in_at timestamptz,
  group_state text not null,
  -- As last told: a sign-in that tells nothing (absent, overage) leaves them.
  groups text[] not null,
  groups_seen_at timestamptz,
  constraint identity_link_pkey primary key (tenant_id, identity_provider_id, subject),
  -- One person, one subject of a provider.
  constraint identity_link_user_key unique (tenant_id, identity_provider_id, user_id),
  constraint identity_link_proof_is_known check (proof in ('created', 'matched', 'admin')),
  constraint identity_link_group_state_is_known check (group_state in ('list', 'empty', 'absent', 'overage')),
  constraint identity_link_provider_exists foreign key (tenant_id, identity_provider_id)
    references identity_provider (tenant_id, id) on delete cascade,
  constraint identity_link_user_exists foreign key (tenant_id, user_id)
    references scim_user (tenant_id, id) on delete cascade
) with (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
create index identity_link_by_user on identity_link (tenant_id, user_id);

-- Assertions that were used: kept until nobody would accept them any more.
create table consumed_assertion (
  tenant_id uuid not null,
  identity_provider_id uuid not null,
  -- SHA-256 of the assertion's own id (SAML ID, the token itself, the gateway's requestId).
  assertion_hash bytea not null,
  consumed_at timestamptz not null,
  expires_at timestamptz not null,
  -- SHA-256 of (key, Idempotency-Key, body): who repeats exactly that within a minute gets this answer again.
  retry_hash bytea,
  status smallint not null,
  -- JSON; null: no retry was announced, or its minute is over.
  answer text,
  constraint consumed_assertion_pkey primary key (tenant_id, identity_provider_id, assertion_hash),
  constraint consumed_assertion_provider_exists foreign key (tenant_id, identity_provider_id)
    references identity_provider (tenant_id, id) on delete cascade
) with (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
create index consumed_assertion_by_expiry on consumed_assertion (expires_at);
create index consumed_assertion_answered on consumed_assertion (consumed_at) where answer is not null;

-- By what a person would be found who was deleted: they do not come back by signing in, until a directory creates them
-- again or an admin allows it.
create table tombstone (
  tenant_id uuid not null,
  -- 'subject:<identity provider id>:<subject>', 'userName:<folded>', 'externalId:<value>', 'email:<folded>'.
  key text collate "C" not null,
  -- The id that the person had, and the directory that managed them; null: none did.
  user_id uuid not null,
  directory_id uuid,
  deleted_at timestamptz not null,
  constraint tombstone_pkey primary key (tenant_id, key, user_id),
  constraint tombstone_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
) with (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
create index tombstone_by_user on tombstone (tenant_id, user_id);

-- Sign-ins that an admin must decide on: whom they would be linked to, and why that was not done.
create table sign_in_conflict (
  tenant_id uuid not null,
  id uuid not null,
  identity_provider_id uuid not null,
  subject text collate "C" not null,
  email text,
  -- Whom the sign-in met.
  user_id uuid not null,
  -- 'linked_to_another_subject', 'user_name_taken', 'ambiguous', 'email_unverified', 'email_of_owner', …
  reason text not null,
  -- 'settled': the subject was linked otherwise.
  state text not null,
  seen_at timestamptz not null,
  times integer not null,
  created_at timestamptz not null,
  resolved_at timestamptz,
  resolved_by jsonb,
  constraint sign_in_conflict_pkey primary key (tenant_id, id),
  constraint sign_in_conflict_key unique (tenant_id, identity_provider_id, subject, user_id),
  constraint sign_in_conflict_state_is_known check (state in ('open', 'linked', 'rejected', 'settled')),
  constraint sign_in_conflict_provider_exists foreign key (tenant_id, identity_provider_id)
    references identity_provider (tenant_id, id) on delete cascade,
  constraint sign_in_conflict_user_exists foreign key (tenant_id, user_id)
    references scim_user (tenant_id, id) on delete cascade
);
create index sign_in_conflict_by_user on sign_in_conflict (tenant_id, user_id);

-- E-mail domains that a tenant has proved to be its own.
create table domain (
  tenant_id uuid not null,
  -- Lower case, as DNS has it (punycode).
  name text collate "C" not null,
  -- What the TXT record must say.
  challenge text not null,
  -- null: not proved yet.
  verified_at timestamptz,
  -- 'dns' or 'operator'.
  verified_by text,
  -- Whether people of this domain may come in by their verified e-mail address alone, and what they get.
  jit boolean not null,
  -- [{"teamId": …, "role": …}]
  grants jsonb not null,
  created_at timestamptz not null,
  constraint domain_pkey primary key (tenant_id, name),
  constraint domain_is_verified_whole check ((verified_at is null) = (verified_by is null)),
  constraint domain_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
);
create index domain_by_name on domain (name) where verified_at is not null;

-- Domains whose people sign in by an identity provider: never by e-mail alone.
create table identity_provider_domain (
  tenant_id uuid not null,
  domain text collate "C" not null,
  identity_provider_id uuid not null,
  constraint identity_provider_domain_pkey primary key (tenant_id, domain),
  constraint identity_provider_domain_exists foreign key (tenant_id, domain)
    references domain (tenant_id, name) on delete cascade,
  constraint identity_provider_domain_provider_exists foreign key (tenant_id, identity_provider_id)
    references identity_provider (tenant_id, id) on delete cascade
);
create index identity_provider_domain_by_provider on identity_provider_domain (tenant_id, identity_provider_id);

create table invitation (
  tenant_id uuid not null,
  id uuid not null,
  email text not null,
  email_folded text collate "C" not null,
  -- [{"teamId": …, "role": …}]
  grants jsonb not null,
  -- Pending beyond expires_at has expired, whether this says so yet or not.
  state text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  created_by jsonb not null,
  ended_at timestamptz,
  -- Who accepted; no foreign key: the invitation outlives the user.
  user_id uuid,
  constraint invitation_pkey primary key (tenant_id, id),
  constraint invitation_state_is_known check (state in ('pending', 'accepted', 'expired', 'revoked')),
  constraint invitation_tenant_exists foreign key (tenant_id) references tenant (tenant_id) on delete cascade
);
create unique index invitation_email_key on invitation (tenant_id, email_folded) where state = 'pending';
