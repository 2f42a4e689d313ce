import { oncePer } from './once-per.ts';
import { note } from './quirks.ts';
import type { Attribute, AttributePath, Reading, ResourceType, Schema } from './types.ts';

const byName = oncePer(
  (attributes: readonly Attribute[]): ReadonlyMap<string, Attribute> =>
    new Map(attributes.map((attribute) => [attribute.name.toLowerCase(), attribute])),
);

/** The attribute of that name in any case (RFC 7643 section 2.1). */
export function findAttribute(attributes: readonly Attribute[], name: string): Attribute | undefined {
  return byName(attributes).get(name.toLowerCase());
}

/** The schemas that a resource of this type may use, the core schema first. */
export function schemasOf(type: ResourceType): readonly Schema[] {
  return [type.schema, ...type.extensions.map((extension) => extension.schema)];
}

/**
 * Resolves `[{urn}:]attribute[.subAttribute]`, all in any case (RFC 7644 section 3.10), and
 * `{urn}.attribute`. Without a URN the core schema is searched first, then the extensions: Entra ID filters by
 * `manager`. Undefined when there is no such attribute.
 */
export function resolveAttributePath(type: ResourceType, text: string): AttributePath | undefined {
  for (const schema of schemasOf(type)) {
    const qualified = text.slice(0, schema.id.length).toLowerCase() === schema.id.toLowerCase();
    if (qualified && !':.'.includes(text.charAt(schema.id.length))) continue;
    const path = resolveIn(type, schema, qualified ? text.slice(schema.id.length + 1) : text);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** Whether the path leads to what is accepted and never told, such as a password: it is not compared either. */
export function isSecret({ attribute, subAttribute }: AttributePath): boolean {
  const parts = subAttribute ? [attribute, subAttribute] : [attribute];
  return parts.some(({ returned, mutability }) => returned === 'never' || mutability === 'writeOnly');
}

/** `resolveAttributePath` for a message: `{urn}.attribute` is noted, or refused under strict reading. */
export function readAttributePath(
  type: ResourceType,
  text: string,
  reading: Reading,
): AttributePath | undefined {
  const path = resolveAttributePath(type, text);
  const { id } = path?.extension ?? type.schema;
  if (path && text.toLowerCase().startsWith(`${id.toLowerCase()}.`)) {
    note(reading, 'urnDot', text);
  }
  return path;
}

function resolveIn(type: ResourceType, schema: Schema, text: string): AttributePath | undefined {
  const [name = '', subName, ...more] = text.split('.', 3);
  const attribute = findAttribute(schema.attributes, name);
  if (attribute === undefined || more.length > 0) return undefined;
  const path = schema === type.schema ? { attribute } : { extension: schema, attribute };
  if (subName === undefined) return path;
  const subAttribute = findAttribute(attribute.subAttributes ?? [], subName);
  return subAttribute && { ...path, subAttribute };
}

/**
 * Resolves a name inside `attribute[…]`, relative to the element. The elements of an attribute without
 * sub-attributes are called `value`; the path then has no `subAttribute`.
 */
export function resolveElementPath(path: AttributePath, name: string): AttributePath | undefined {
  const { subAttributes } = path.attribute;
  if (subAttributes === undefined) return name.toLowerCase() === 'value' ? path : undefined;
  const subAttribute = findAttribute(subAttributes, name);
  return subAttribute && { ...path, subAttribute };
}

/** The canonical name of a path: `userName`, `name.familyName`, `{urn}:manager.value`. */
export function pathName({ extension, attribute, subAttribute }: AttributePath): string {
  const prefix = extension === undefined ? '' : `${extension.id}:`;
  return `${prefix}${attribute.name}${subAttribute === undefined ? '' : `.${subAttribute.name}`}`;
}
