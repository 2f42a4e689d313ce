import type { JsonResource } from './query.ts';
import type { Definition, TypeSchema } from './schema.ts';

/** What of an answered resource does not hold by the schema that is announced (RFC 7643 sections 2 and 3). */
export function flaws(resource: JsonResource, type: TypeSchema): string[] {
  const core = type.attributes.filter(({ urn }) => urn === undefined).map(({ definition }) => definition);
  const { schemas } = resource;
  const listed = Array.isArray(schemas) ? schemas : [];
  const extensions = type.extensions.filter((urn) => Object.hasOwn(resource, urn));
  const others = Object.fromEntries(Object.entries(resource).filter(([name]) => !extensions.includes(name)));
  return [
    ...flawsOfNode(others, core, ''),
    ...extensions.flatMap((urn) => {
      const definitions = type.attributes
        .filter((each) => each.urn === urn)
        .map(({ definition }) => definition);
      return flawsOfNode(resource[urn], definitions, `${urn}:`);
    }),
    ...(String([type.core, ...extensions]) === String(listed) ? [] : [`schemas is ${listed}`]),
  ];
}

function flawsOfNode(node: unknown, definitions: readonly Definition[], prefix: string): string[] {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return [`${prefix} is no object`];
  const entries = Object.entries(node);
  if (entries.length === 0) return [`${prefix} is empty`];
  return entries.flatMap(([name, value]) => {
    const definition = definitions.find((each) => each.name === name);
    if (!definition || definition.returned === 'never') return [`${prefix}${name} is not in the schema`];
    if (!definition.multiValued) return flawsOfOne(value, definition, `${prefix}${name}`);
    if (!Array.isArray(value) || value.length === 0) return [`${prefix}${name} is no list of values`];
    const primaries = value.filter((element) => element?.primary === true).length;
    return [
      ...value.flatMap((element, index) => flawsOfOne(element, definition, `${prefix}${name}[${index}]`)),
      ...(primaries > 1 ? [`${prefix}${name} has ${primaries} primary values`] : []),
    ];
  });
}

function flawsOfOne(value: unknown, { type, subAttributes = [] }: Definition, where: string): string[] {
  if (type === 'complex') return flawsOfNode(value, subAttributes, `${where}.`);
  return isOfType(value, type) ? [] : [`${where} is ${JSON.stringify(value)}, and no ${type}`];
}

function isOfType(value: unknown, type: Definition['type']): boolean {
  if (type === 'boolean') return typeof value === 'boolean';
  if (type === 'integer') return Number.isSafeInteger(value);
  if (type === 'decimal') return typeof value === 'number';
  if (typeof value !== 'string' || value === '') return false;
  if (type === 'dateTime') return !Number.isNaN(Date.parse(value));
  return type !== 'binary' || /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}
