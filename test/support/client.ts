import type { SettingsChange } from '../../src/tenants/settings.ts';
import type { startApp, TestApp } from './app.ts';

/** What the SCIM tests start from: a service, a tenant, a key of its default directory. */

export const SCIM = '/api/scim/v2';
export const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

export interface Resource {
  readonly [name: string]: unknown;
  readonly id: string;
  readonly meta: {
    readonly version: string;
    readonly location: string;
    readonly created: string;
    readonly lastModified: string;
  };
  readonly members?: readonly { readonly value: string }[];
  readonly groups?: readonly { readonly value: string }[];
}

export interface List {
  readonly totalResults: number;
  readonly itemsPerPage: number;
  readonly startIndex: number;
  readonly Resources: readonly Resource[];
}

export interface ErrorBody {
  readonly schemas: readonly string[];
  readonly status: string;
  readonly scimType?: string;
  readonly detail: string;
}

export type Client = ReturnType<typeof clientOf>;

/** A SCIM client of a tenant of its own. */
export async function newClient(app: TestApp, settings: SettingsChange = {}): Promise<Client> {
  return clientOf(app, await app.scimKey(await app.createTenant(settings)));
}

/** A SCIM client with one key. */
export function clientOf({ send }: Pick<TestApp, 'send'>, key: string) {
  const ask = <Body = Resource>(
    method: Parameters<Awaited<ReturnType<typeof startApp>>['send']>[0],
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => send<Body>(method, `${SCIM}${path}`, { key, ...(body !== undefined && { body }), headers });
  return {
    /** The credential itself. */
    key,
    ask,
    list: (endpoint: string, filter: string, query = '') =>
      ask<List>('GET', `${endpoint}?filter=${encodeURIComponent(filter)}${query}`),
    patch: (path: string, Operations: unknown, headers?: Record<string, string>) =>
      ask('PATCH', path, { schemas: [PATCH_OP], Operations }, headers),
    user: async (userName: string, attributes: object = {}) =>
      (await ask('POST', '/Users', { schemas: [USER], userName, ...attributes })).body,
    group: async (displayName: string, members: readonly string[] = []) =>
      (
        await ask('POST', '/Groups', {
          schemas: [GROUP],
          displayName,
          members: members.map((value) => ({ value })),
        })
      ).body,
  };
}
