import { randomUUID } from 'node:crypto';
import type { SignInAnswer } from '../../src/actions/sign-in-verdict.ts';
import type { AnyBody, TestApp } from './app.ts';
import type { World } from './world.ts';

/** What tests of sign-ins start from: identity providers, and a gateway that posts claims. */

export interface ProviderOptions {
  readonly jit?: 'off' | 'standard' | 'enhanced';
  readonly enabled?: boolean;
  readonly kind?: 'saml' | 'oidc' | 'claims';
  readonly defaultTeam?: { readonly team: string; readonly role: string };
  readonly settings?: object;
}

/** An identity provider of the tenant; the id. */
export async function makeProvider(
  { context: { db } }: TestApp,
  tenantId: string,
  name: string,
  { jit = 'enhanced', enabled = true, kind = 'claims', defaultTeam, settings = {} }: ProviderOptions = {},
): Promise<string> {
  const id = randomUUID();
  await db.pool.query(
    `insert into identity_provider (tenant_id, id, name, kind, jit, enabled, settings, default_team_id, default_role,
                                    version, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, now(), now())`,
    [
      tenantId,
      id,
      name,
      kind,
      jit,
      enabled,
      JSON.stringify({ trustEmail: true, ...settings }),
      defaultTeam?.team ?? null,
      defaultTeam?.role ?? null,
    ],
  );
  return id;
}

export type Claims = Readonly<Record<string, unknown>>;

export interface Post {
  readonly provider?: string;
  readonly requestId?: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
}

/** What a refusal is told by; with what an answer has, for tests that expect one or the other. */
export type SignedInBody = SignInAnswer & AnyBody;

/** A gateway of the tenant, with its key. */
export async function makeGateway(app: TestApp, tenant: World['tenant']) {
  const { key } = await app.apiKey(tenant, ['jit', 'jit:claims']);
  return {
    key,
    /** Signs in by claims. */
    post: (
      claims: Claims,
      { provider = 'okta', requestId = randomUUID(), query = '', headers = {} }: Post = {},
    ) =>
      app.send<SignedInBody>('POST', `/jit/assert${query}`, {
        key,
        headers,
        body: { identityProvider: provider, requestId, claims },
      }),
  };
}
