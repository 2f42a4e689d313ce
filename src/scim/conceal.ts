import { isObject, ownValue } from './json.ts';
import type { Resource, ResourceType } from './types.ts';

/** Stands in an event for a value that is never returned: that it was written, and not what. */
const CONCEALED = '(never returned)';

/** An extension with those of its attributes that are never returned. */
export interface Hidden {
  readonly urn: string;
  readonly names: readonly string[];
}

/** What of a stored resource nobody may read back; the core schemas keep nothing of the kind. */
export function hiddenOf(type: ResourceType): Hidden[] {
  const extensions = type.extensions.map(({ schema: { id, attributes } }) => ({
    urn: id,
    names: attributes.filter(({ returned }) => returned === 'never').map(({ name }) => name),
  }));
  return extensions.filter(({ names }) => names.length > 0);
}

/**
 * A resource as events may hold it, which admins and the product read: of what is never returned (RFC 7643
 * section 7) a mark where `isTold`, and else nothing.
 */
export function concealed(
  resource: Resource,
  type: ResourceType,
  isTold: (urn: string, name: string) => boolean = () => true,
): Resource {
  const told = { ...resource };
  for (const { urn, names } of hiddenOf(type)) {
    const extension = ownValue(resource, urn);
    if (!isObject(extension)) continue;
    const entries = Object.entries(extension).filter(([name]) => !names.includes(name) || isTold(urn, name));
    told[urn] = Object.fromEntries(
      entries.map(([name, value]) => [name, names.includes(name) ? CONCEALED : value]),
    );
  }
  return told;
}
