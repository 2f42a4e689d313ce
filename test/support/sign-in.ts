import { randomUUID } from 'node:crypto';
import type { SettingsChange } from '../../src/tenants/settings.ts';
import type { TestApp } from './app.ts';
import { gatewayOf, makeProvider, type ProviderOptions } from './gateway.ts';
import { newWorld, row, type World } from './world.ts';

/** What tests of sign-ins start from: a world with an identity provider and a gateway. */

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
