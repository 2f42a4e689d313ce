import { badRequest } from './error.ts';
import { isObject, ownValue, sameJson } from './json.ts';
import { addValues, changeElements, removeListed, replaceValues } from './patch-values.ts';
import type { Attribute, JsonObject, JsonValue, PatchOperation, Resource, ResourceType } from './types.ts';
import { canonicalResource, missingAttributes, requireImmutableKept } from './validate.ts';

export { readPatch } from './patch-read.ts';

/**
 * The resource after the operations of a PATCH, in their order (RFC 7644 section 3.5.2). The one given stays as it
 * is; one that is equal to it comes back when nothing changed. Throws mutability where a required attribute would
 * go or an immutable one change, and noTarget where a value path matches nothing and does not say what to create.
 */
export function applyPatch(
  resource: Resource,
  operations: readonly PatchOperation[],
  type: ResourceType,
): Resource {
  const draft = structuredClone(resource);
  for (const operation of operations) applyOperation(draft, operation);
  const result = canonicalResource(draft, type);
  requireAssigned(resource, result, type);
  requireImmutableKept(resource, result, type);
  return result;
}

/** RFC 7644 section 3.5.2.2. `active` counts as required: removing it must not revive a leaver. */
function requireAssigned(before: Resource, after: Resource, type: ResourceType): void {
  const missing = new Set(missingAttributes(after, type));
  for (const name of missingAttributes(before, type)) missing.delete(name);
  if (Object.hasOwn(before, 'active') && !Object.hasOwn(after, 'active')) missing.add('active');
  for (const name of missing) {
    throw badRequest('mutability', `${name} cannot be removed: replace it with another value`);
  }
}
