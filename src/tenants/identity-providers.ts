import type { Transaction } from 'kysely';
import type { Reading } from '../assertions/facts.ts';
import type { Preset } from '../assertions/presets.ts';
import type { OidcProvider, ProviderKind, SamlProvider } from '../assertions/types.ts';
import type { Page } from '../db/page.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { Tables } from '../db/tables.ts';
import { runIn } from '../db/transaction.ts';

/** Whom sign-ins create and sync: nobody; whom they meet first, once; everybody, each time. */
export const JIT_MODES = ['off', 'standard', 'enhanced'] as const;
export type JitMode = (typeof JIT_MODES)[number];

/** By what a user is found whom a directory manages, in this order. */
export const MATCHES = ['externalId', 'userName'] as const;
export type Match = (typeof MATCHES)[number];

/** What SAML assertions are verified by; an issuer and certificates may be still to come, with the metadata. */
export interface SamlSettings {
  readonly issuer: string | null;
  readonly certificates: readonly string[];
  readonly audience: string;
  readonly acsUrl: string;
}

/** What is kept of a provider beside its columns, complete with defaults. */
export interface ProviderSettings {
  readonly preset: Preset | null;
  readonly attributeMapping: Reading['attributeMapping'];
  readonly groupAttribute: string | null;
  readonly absentGroups: Reading['absentGroups'];
  readonly trustEmail: boolean;
  readonly matchManaged: readonly Match[];
  /** The name of the one directory whose users it matches; null: any. */
  readonly matchDirectory: string | null;
  /** Whether the profile of a user whom no directory manages is written at each sign-in, or once. */
  readonly profileSync: 'create' | 'always';
  /** Exactly the one of the kind is there. */
  readonly saml: SamlSettings | null;
  readonly oidc: OidcProvider | null;
}

export const DEFAULT_SETTINGS: ProviderSettings = {
  preset: null,
  attributeMapping: {},
  groupAttribute: null,
  absentGroups: 'unknown',
  trustEmail: false,
  matchManaged: MATCHES,
  matchDirectory: null,
  profileSync: 'create',
  saml: null,
  oidc: null,
};

/** What the newly created get, as grants by hand. */
export interface DefaultTeam {
  /** Id. */
  readonly team: string;
  readonly role: string;
}

/** One way in which people of a tenant sign in. */
export interface IdentityProvider extends ProviderSettings {
  readonly id: string;
  /** A lower-case slug, unique in the tenant, never changed: origins and mapping rows say it. */
  readonly name: string;
  readonly displayName: string | null;
  readonly kind: ProviderKind;
  readonly jit: JitMode;
  /** Whether anybody may sign in by it. */
  readonly enabled: boolean;
  /** null also once the team is gone. */
  readonly defaultTeam: DefaultTeam | null;
  /** To whose key assertions to us may be encrypted, in PEM; null: to none. */
  readonly encryptionCertificate: string | null;
  /** Domains whose people sign in here. */
  readonly domains: readonly string[];
  /** Counts the changes: what a sign-in read holds only at this one. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/**
 * Whether the provider's subjects are people of any organisation: all ID tokens of Google have one issuer (Google,
 * "OpenID Connect": `hd` tells the organisation). In SAML each organisation has its own.
 */
export function signsInAnybody({
  kind,
  preset,
  oidc,
}: Pick<IdentityProvider, 'kind' | 'preset' | 'oidc'>): boolean {
  return GOOGLE.includes(oidc?.issuer ?? '') || (kind === 'claims' && preset === 'google');
}

const GOOGLE: readonly string[] = ['https://accounts.google.com', 'accounts.google.com'];

/** What assertions are verified by; undefined while issuer or certificates are still to come. */
export function samlProviderOf(saml: IdentityProvider['saml']): SamlProvider | undefined {
  if (saml === null || saml.issuer === null || saml.certificates.length === 0) return undefined;
  return { ...saml, issuer: saml.issuer };
}

/** Whether anybody can sign in by it. */
export const letsIn = ({ enabled, saml }: IdentityProvider): boolean =>
  enabled && (saml === null || samlProviderOf(saml) !== undefined);

/** By what its subjects are understood: where any of it differs, the same subject may be somebody else. */
export function subjectsOf({ kind, preset, attributeMapping, saml, oidc }: IdentityProvider) {
  const { subject: attribute = null } = attributeMapping;
  // The preset names the attribute of those that have no mapped one, and in claims the tenant too (`facts.ts`).
  const ofEntra = preset === 'entra' && (attribute === null || kind === 'claims');
  return { issuer: saml?.issuer ?? oidc?.issuer ?? null, attribute, ofEntra };
}

/** So many may a tenant have. */
export const MAX_IDENTITY_PROVIDERS = 100;

export interface ProviderRow {
  readonly id: string;
  readonly name: string;
  readonly display_name: string | null;
  readonly kind: ProviderKind;
  readonly jit: JitMode;
  readonly enabled: boolean;
  readonly settings: ProviderSettings;
  readonly default_team: DefaultTeam | null;
  readonly encryption_certificate: string | null;
  /** Sealed (`sealed.ts`). */
  readonly encryption_key: string | null;
  readonly domains: string[];
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const READ = `select p.id, p.name, p.display_name, p.kind, p.jit, p.enabled, p.settings, p.encryption_certificate,
     p.encryption_key, p.version, p.created_at, p.updated_at,
     case when t.id is not null then jsonb_build_object('team', t.id, 'role', p.default_role) end as default_team,
     array(select d.domain from identity_provider_domain d
           where d.tenant_id = p.tenant_id and d.identity_provider_id = p.id order by d.domain) as domains
   from identity_provider p left join team t on t.tenant_id = p.tenant_id and t.id = p.default_team_id
   where p.tenant_id = $1`;

const byNameStatement = statement<ProviderRow>('identity_provider_by_name', `${READ} and p.name = $2`);

/** The provider, for sign-ins too; read it by `identityProviderOf`. */
export function identityProviderByName(tenantId: string, name: string): Step<ProviderRow> {
  return step(byNameStatement, [tenantId, name]);
}

const listStatement = statement<ProviderRow>(
  'identity_providers',
  `${READ} and p.id > $2 order by p.id limit $3`,
);

export function listIdentityProviders(tenantId: string, { after, limit }: Page): Step<ProviderRow> {
  return step(listStatement, [tenantId, after, limit]);
}

/** A row as what it says. */
export function identityProviderOf(row: ProviderRow): IdentityProvider {
  return {
    id: row.id,
    name: row.name,
    displayName: row.display_name,
    kind: row.kind,
    jit: row.jit,
    enabled: row.enabled,
    ...DEFAULT_SETTINGS,
    ...row.settings,
    defaultTeam: row.default_team,
    encryptionCertificate: row.encryption_certificate,
    domains: row.domains,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

const countStatement = statement<{ count: number }>(
  'count_identity_providers',
  'select count(*) as count from identity_provider where tenant_id = $1',
);

export async function countIdentityProviders(trx: Transaction<Tables>, tenantId: string): Promise<number> {
  const [row] = await runIn(trx, step(countStatement, [tenantId]));
  return row?.count ?? 0;
}

const insertStatement = statement<unknown>(
  'insert_identity_provider',
  `insert into identity_provider (tenant_id, id, name, display_name, kind, jit, enabled, settings, default_team_id,
                                  default_role, version, created_at, updated_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12, $12)`,
);

/** @throws DatabaseError that violates `identity_provider_name_key` when the name is taken. */
export function insertIdentityProvider(tenantId: string, provider: IdentityProvider): Step {
  return step(insertStatement, [
    tenantId,
    provider.id,
    provider.name,
    provider.displayName,
    provider.kind,
    provider.jit,
    provider.enabled,
    settingsText(provider),
    provider.defaultTeam?.team ?? null,
    provider.defaultTeam?.role ?? null,
    provider.version,
    provider.createdAt,
  ]);
}

const updateStatement = statement<unknown>(
  'update_identity_provider',
  `update identity_provider
   set display_name = $3, jit = $4, enabled = $5, settings = $6::jsonb, default_team_id = $7, default_role = $8,
       version = $9, updated_at = $10
   where tenant_id = $1 and id = $2`,
);

/** Writes what can change of a provider. */
export function updateIdentityProviderRow(tenantId: string, provider: IdentityProvider): Step {
  return step(updateStatement, [
    tenantId,
    provider.id,
    provider.displayName,
    provider.jit,
    provider.enabled,
    settingsText(provider),
    provider.defaultTeam?.team ?? null,
    provider.defaultTeam?.role ?? null,
    provider.version,
    provider.updatedAt,
  ]);
}

const encryptionStatement = statement<unknown>(
  'set_encryption_key',
  `update identity_provider set encryption_certificate = $3, encryption_key = $4, version = $5, updated_at = $6
   where tenant_id = $1 and id = $2`,
);

/** Writes the key pair of a provider; `sealed` is the private key. */
export function setEncryptionKey(tenantId: string, provider: IdentityProvider, sealed: string | null): Step {
  const { id, encryptionCertificate, version, updatedAt } = provider;
  return step(encryptionStatement, [tenantId, id, encryptionCertificate, sealed, version, updatedAt]);
}

function settingsText(provider: ProviderSettings): string {
  const names = Object.keys(DEFAULT_SETTINGS) as (keyof ProviderSettings)[];
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, provider[name]])));
}

const deleteStatement = statement<unknown>(
  'delete_identity_provider',
  'delete from identity_provider where tenant_id = $1 and id = $2',
);

/** Deletes it with its bindings of domains, its conflicts, and what is left of its links and assertions. */
export function deleteIdentityProviderRow(tenantId: string, id: string): Step {
  return step(deleteStatement, [tenantId, id]);
}

const onlyByStatement = statement<{ users: number }>(
  'users_only_by_identity_provider',
  `select count(*) as users from identity_link l join scim_user u on u.tenant_id = $1 and u.id = l.user_id
   where l.tenant_id = $1 and l.identity_provider_id = $2 and u.active and not exists (
     select from identity_link o join identity_provider p on p.tenant_id = $1 and p.id = o.identity_provider_id
     where o.tenant_id = $1 and o.user_id = l.user_id and p.id <> $2 and p.enabled)`,
);

/** How many active users sign in by this provider, and by no other that is enabled. */
export function countOnlyBy(tenantId: string, id: string): Step<{ users: number }> {
  return step(onlyByStatement, [tenantId, id]);
}
