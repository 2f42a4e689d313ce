import { findAttribute } from './attribute-path.ts';
import type { Attribute, Schema } from './types.ts';

/** Of an attribute `[name]`, or of a sub-attribute `[name, name]`. */
export type StoredPath = readonly string[];

/**
 * What a new definition would misread in stored users: the places whose values, where there are any, do not fit it.
 * Attributes that are gone (also by another case, since values lie under the name as it was), of another type,
 * plurality or case; and those that were never returned and now would be: they were given under another promise,
 * and the document that filters run on does not hold them.
 */
export function misreadBy(before: Schema, after: Schema): StoredPath[] {
  return before.attributes.flatMap((attribute) => {
    const next = sameName(after.attributes, attribute);
    if (next === undefined || isOther(attribute, next) || gainsPrimary(attribute, next))
      return [[attribute.name]];
    return (attribute.subAttributes ?? [])
      .filter((part) => {
        const nextPart = sameName(next.subAttributes ?? [], part);
        return nextPart === undefined || isOther(part, nextPart);
      })
      .map((part) => [attribute.name, part.name]);
  });
}

function sameName(attributes: readonly Attribute[], { name }: Attribute): Attribute | undefined {
  const found = findAttribute(attributes, name);
  return found?.name === name ? found : undefined;
}

function isOther(before: Attribute, after: Attribute): boolean {
  return (
    before.type !== after.type ||
    before.multiValued !== after.multiValued ||
    before.caseExact !== after.caseExact ||
    (before.returned === 'never' && after.returned !== 'never')
  );
}

/** The document that filters run on says `primary: false` where the schema has it: older ones do not. */
function gainsPrimary(before: Attribute, after: Attribute): boolean {
  const has = ({ subAttributes = [] }: Attribute) => subAttributes.some(({ name }) => name === 'primary');
  return after.multiValued && has(after) && !has(before);
}
