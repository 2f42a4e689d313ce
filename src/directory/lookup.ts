import { hash as digestOf } from 'node:crypto';
import { pathName } from '../scim/attribute-path.ts';
import { ENTERPRISE_USER } from '../scim/resource-types.ts';
import type { AttributePath, JsonObject, JsonValue } from '../scim/types.ts';

/**
 * Equality look-ups by index, for attributes that live in JSON. Each user row keeps a hash per (tenant,
 * attribute, folded value) in `lookup`, under one GIN index: the tenant is part of the hash, so that a look-up
 * never meets another tenant's rows. A hash narrows, the exact predicate beside it decides.
 */
const INDEXED: readonly { readonly name: string; read(search: JsonObject): JsonValue[] }[] = [
  { name: 'displayName', read: (search) => [search.displayName ?? null] },
  { name: 'emails.value', read: (search) => parts(search.emails, 'value') },
  {
    name: `${ENTERPRISE_USER}:employeeNumber`,
    read: (search) => parts(search[ENTERPRISE_USER], 'employeeNumber'),
  },
  {
    name: `${ENTERPRISE_USER}:manager.value`,
    read: (search) => parts(search[ENTERPRISE_USER], 'manager').flatMap((manager) => parts(manager, 'value')),
  },
];

const INDEXED_NAMES = new Set(INDEXED.map((each) => each.name));

function parts(value: JsonValue | undefined, name: string): JsonValue[] {
  const objects = Array.isArray(value) ? value : [value];
  return objects.map((each) =>
    each !== null && typeof each === 'object' ? ((each as JsonObject)[name] ?? null) : null,
  );
}

/** The hashes of a user's search document, as decimal bigints. */
export function lookupHashes(tenantId: string, search: JsonObject): string[] {
  const hashes = INDEXED.flatMap(({ name, read }) =>
    read(search)
      .filter((value) => typeof value === 'string')
      .map((value) => hash(tenantId, name, value)),
  );
  return [...new Set(hashes)];
}

/** The hash that a user must have for `path eq value` to hold; undefined where no index helps. */
export function lookupHash(tenantId: string, path: AttributePath, value: unknown): string | undefined {
  return hasLookup(path, value) ? hash(tenantId, pathName(path), value) : undefined;
}

/** Whether there is such a hash. */
export function hasLookup(path: AttributePath, value: unknown): value is string {
  return typeof value === 'string' && INDEXED_NAMES.has(pathName(path));
}

/** The hash that a user must have who has this e-mail address, which is folded already. */
export function emailHash(tenantId: string, folded: string): string {
  return hash(tenantId, 'emails.value', folded);
}

function hash(tenantId: string, name: string, value: string): string {
  const digest = digestOf('sha256', `${tenantId}\0${name}\0${value}`, 'buffer');
  return digest.readBigInt64BE().toString();
}
