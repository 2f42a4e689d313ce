import type { Logger } from 'pino';
import type { Database } from './db/database.ts';
import type { Outbound } from './outbound/outbound.ts';
import type { Extension, ResourceTypes } from './scim/types.ts';

/** What every action gets first. Nothing reaches for a clock, a pool or a setting by another way. */
export interface Context {
  readonly db: Database;
  readonly log: Logger;
  /** The time; a fixed one in tests. */
  now(): Date;
  /** What the outside sees, without a trailing slash: `https://rollcall.example`. */
  readonly publicUrl: string;
  /** SHA-256 of the operator key. */
  readonly operatorKeyHash: Buffer;
  /** 32 bytes, the same in every instance: keys for what only the service reads are derived from it. */
  readonly secretKey: Buffer;
  /** The one way to what others publish on the network. */
  readonly outbound: Outbound;
  /** The texts of a name's TXT records in DNS; none: it has none. Throws AppError `unavailable`: DNS does not answer. */
  resolveTxt(name: string): Promise<readonly string[]>;
}

export type Scope = 'scim' | 'jit' | 'jit:claims' | 'admin' | 'read';

/** The settings of a tenant, complete with defaults (design: `PATCH /tenants/{tenant}`). */
export interface TenantSettings {
  /** `jit`: SCIM writes are refused with 403. */
  readonly provisioning: 'combined' | 'scim' | 'jit';
  readonly userNameMustBeEmail: boolean;
  readonly strictScim: boolean;
  /** A directory's key also sees, and by its first write adopts, users that no directory manages. */
  readonly adoptUnmanaged: boolean;
  readonly takeover: boolean;
  readonly renameFollows: boolean;
  readonly ownersByUserType: boolean;
  readonly linkByEmail: 'never' | 'verified_domains';
  readonly unmappedUsers: 'allow' | 'deny';
}

/** Who a credential proved to be. */
export type Principal =
  | { readonly kind: 'operator' }
  | {
      readonly kind: 'service_key';
      readonly id: string;
      readonly name: string;
      readonly scopes: readonly Scope[];
    }
  | {
      readonly kind: 'api_key';
      readonly id: string;
      readonly name: string;
      readonly scopes: readonly Scope[];
      readonly tenant: {
        readonly id: string;
        readonly name: string;
        readonly settings: TenantSettings;
        /** The tenant's own schemas for users. */
        readonly extensions: readonly Extension[];
        /** Which version of them: it counts their changes. */
        readonly schemaVersion: number;
      };
      /** Present exactly when the scopes hold `scim`. */
      readonly directory?: { readonly id: string; readonly name: string };
    };

/** Work that outlives the request that asked for it. */
interface JobPrincipal {
  readonly kind: 'job';
  readonly id: string;
  /** Who asked for it, as `actorJson` told it. */
  readonly askedBy: Readonly<Record<string, unknown>>;
}

/** Who acts, in which request: what an event says of its origin. */
export interface Actor {
  readonly principal: Principal | { readonly kind: 'system'; readonly name: string } | JobPrincipal;
  readonly requestId: string;
}

/** A SCIM client: the tenant and directory that its key names, and nothing else. */
export interface ScimActor extends Actor {
  readonly tenantId: string;
  readonly directoryId: string;
  readonly settings: TenantSettings;
  /** The resource types with the tenant's extensions. */
  readonly types: ResourceTypes;
  /** Which version of the extensions those are. */
  readonly schemaVersion: number;
}

/** The actor as events keep it: ids and names of credentials, never a secret. */
export function actorJson({ principal }: Actor): string {
  switch (principal.kind) {
    case 'operator':
      return JSON.stringify({ kind: 'operator' });
    case 'system':
    case 'job':
    case 'service_key':
      return JSON.stringify({ ...principal, scopes: undefined });
    case 'api_key': {
      const { kind, id, name, directory } = principal;
      return JSON.stringify({ kind, id, name, directory: directory?.name });
    }
  }
}
