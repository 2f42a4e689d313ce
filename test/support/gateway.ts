import { randomUUID } from 'node:crypto';
import type { SignInAnswer } from '../../src/actions/sign-in-verdict.ts';
import type { AnyBody, TestApp } from './app.ts';

/** Identity providers, and a gateway that posts claims. */

export interface ProviderOptions {
  readonly name?: string;
  readonly jit?: 'off' | 'standard' | 'enhanced';
  readonly enabled?: boolean;
  readonly kind?: 'saml' | 'oidc' | 'claims';
  readonly defaultTeam?: { readonly team: string; readonly role: string };
  readonly settings?: object;
  /** A domain of the tenant that is bound to it. */
  readonly domain?: string;
}

/** An identity provider of the tenant, unless it has one of the name: its id. */
export async function makeProvider(
  { context: { db } }: Pick<TestApp, 'context'>,
  tenantId: string,
  options: ProviderOptions = {},
): Promise<string> {
  const { name = 'okta', jit = 'enhanced', enabled = true, kind = 'claims', defaultTeam, settings } = options;
  const { domain } = options;
  const { rows } = await db.pool.query<{ id: string }>(
    `insert into identity_provider (tenant_id, id, name, kind, jit, enabled, settings, default_team_id, default_role,
                                    version, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, now(), now())
     on conflict (tenant_id, name) do update set name = excluded.name
     returning id`,
    [
      tenantId,
      randomUUID(),
      name,
      kind,
      jit,
      enabled,
      JSON.stringify(settings ?? {}),
      defaultTeam?.team ?? null,
      defaultTeam?.role ?? null,
    ],
  );
  const id = String(rows[0]?.id);
  if (domain !== undefined) {
    await db.pool.query('insert into identity_provider_domain values ($1, $2, $3)', [tenantId, domain, id]);
  }
  return id;
}

export type Claims = Readonly<Record<string, unknown>>;

export interface Post {
  readonly provider?: string;
  readonly requestId?: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
}

/** An answer, or the members of a refusal. */
export type SignedInBody = SignInAnswer & AnyBody;

/** A gateway with a key: signs in by claims. */
export function gatewayOf({ send }: Pick<TestApp, 'send'>, key: string) {
  return (
    claims: Claims,
    { provider = 'okta', requestId = randomUUID(), query = '', headers = {} }: Post = {},
  ) =>
    send<SignedInBody>('POST', `/jit/assert${query}`, {
      key,
      headers,
      body: { identityProvider: provider, requestId, claims },
    });
}

const PROVIDERS: Readonly<Record<string, ProviderOptions['jit']>> = { google: 'standard' };

/**
 * Signs in, by claims, users of a tenant who are linked to the identity provider. It is made when it is first named:
 * "google" in standard mode, every other one in enhanced mode. Groups that are null are unknown.
 */
export function signsIn(app: TestApp, tenant: { readonly id: string }) {
  let key: Promise<string> | undefined;
  return async (userId: string, groups: readonly string[] | null, name = 'okta') => {
    key ??= app.apiKey(tenant, ['jit', 'jit:claims']).then((issued) => issued.key);
    await makeProvider(app, tenant.id, { name, jit: PROVIDERS[name] ?? 'enhanced' });
    await app.context.db.pool.query(
      `insert into identity_link (tenant_id, identity_provider_id, subject, user_id, proof, linked_at, group_state, groups)
       select $1, p.id, u.id, u.id, 'admin', now(), 'absent', '{}'
       from identity_provider p, scim_user u where p.tenant_id = $1 and p.name = $2 and u.tenant_id = $1 and u.id = $3
       on conflict do nothing`,
      [tenant.id, name, userId],
    );
    const post = gatewayOf(app, await key);
    return post({ sub: userId, ...(groups !== null && { groups }) }, { provider: name });
  };
}
