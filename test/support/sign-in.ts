import { randomUUID } from 'node:crypto';
import type { SignInAnswer } from '../../src/actions/sign-in-verdict.ts';
import type { SettingsChange } from '../../src/tenants/settings.ts';
import type { AnyBody, TestApp } from './app.ts';
import { newWorld, row, type World } from './world.ts';

/** What tests of sign-ins start from: identity providers, and a gateway that posts claims. */

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

/** An identity provider of the tenant: its id. */
export async function makeProvider(
  { context: { db } }: Pick<TestApp, 'context'>,
  tenantId: string,
  options: ProviderOptions = {},
): Promise<string> {
  const { name = 'okta', jit = 'enhanced', enabled = true, kind = 'claims', defaultTeam, settings } = options;
  const { domain } = options;
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
      JSON.stringify(settings ?? {}),
      defaultTeam?.team ?? null,
      defaultTeam?.role ?? null,
    ],
  );
  if (domain !== undefined) {
    await db.pool.query('insert into identity_provider_domain values ($1, $2, $3)', [tenantId, domain, id]);
  }
  return id;
}

/** An open conflict with the user, of a provider of its own where none is named: its id. */
export async function makeConflict(
  app: Pick<TestApp, 'context'>,
  tenantId: string,
  userId: string,
  { provider = '', subject = 'subject' } = {},
): Promise<string> {
  const id = randomUUID();
  const name = `provider-${id.slice(0, 8)}`;
  const providerId = provider || (await makeProvider(app, tenantId, { name }));
  await app.context.db.pool.query(
    `insert into sign_in_conflict (tenant_id, id, identity_provider_id, subject, email, user_id, reason, state, seen_at, times,
                                   created_at)
     values ($1, $2, $3, $4, 'ada@acme.example', $5, 'user_name_taken', 'open', '2026-03-04T05:06:07Z', 2,
             '2026-03-03T05:06:07Z')`,
    [tenantId, id, providerId, subject, userId],
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

/** By whom the tests sign in. */
export const ADA = {
  sub: '00u1',
  email: 'ada@acme.test',
  email_verified: true,
  given_name: 'Ada',
  family_name: 'King',
  groups: ['Analysts'],
};

export interface SignInWorld extends World {
  readonly gatewayKey: string;
  readonly post: ReturnType<typeof gatewayOf>;
  /** Changes settings of the tenant. */
  set(settings: SettingsChange): Promise<unknown>;
  /** Changes columns of the identity provider "okta", as a new version of it. */
  setProvider(columns: Readonly<Record<string, unknown>>): Promise<unknown>;
  count(table: string): Promise<number>;
}

/** A world with the provider "okta", whose groups "Analysts" and "Hunters" give teams, and "IT Admins" ownership. */
export async function newSignInWorld(
  app: TestApp,
  provider: ProviderOptions = {},
  settings: SettingsChange = {},
): Promise<SignInWorld> {
  const world = await newWorld(app, settings);
  const { id } = world.tenant;
  const { pool } = app.context.db;
  const rows = [row('Analysts', 'Incident Response', 'EDITOR'), row('Hunters', 'Forensics', 'VIEWER')];
  await world.map(rows, { tenant_owners_groups: ['IT Admins'] });
  await makeProvider(app, id, provider);
  const { key } = await app.apiKey(world.tenant, ['jit', 'jit:claims']);
  return {
    ...world,
    gatewayKey: key,
    post: gatewayOf(app, key),
    set: (change) => world.ask('PATCH', '', { settings: change }),
    setProvider: (columns) =>
      pool.query(
        `update identity_provider p set version = p.version + 1, jit = r.jit, enabled = r.enabled, settings = r.settings
         from identity_provider o, jsonb_populate_record(o, $2) as r
         where o.tenant_id = $1 and o.name = 'okta' and p.tenant_id = $1 and p.id = o.id`,
        [id, JSON.stringify(columns)],
      ),
    count: async (table) => {
      const { rows } = await pool.query(`select count(*) as count from ${table} where tenant_id = $1`, [id]);
      return rows[0].count;
    },
  };
}
