import fc, { type Arbitrary } from 'fast-check';
import type { Scalar } from './compare.ts';
import {
  comparedPart,
  type Filter,
  type JsonResource,
  type Operator,
  type Path,
  type Sort,
} from './query.ts';
import type { Definition, Located, TypeSchema } from './schema.ts';
import { chooser, rewriteDateTime } from './write.ts';

/** Random resources, filters and sorts of whatever type the service announces. */

/** Words that meet each other: in case, width, composition and order, and with what SQL gives a meaning. */
const WORDS = [
  ...['a', 'A', 'b', 'ab', 'AB', 'Ada', 'ADA', 'work', 'home', 'null', 'true', '0', '10', '9', '-1'],
  ...['é', 'É', 'e\u0301', 'ä', 'ß', 'ss', 'SS', 'ẞ', 'İ', 'i\u0307', 'I', 'ı', 'i', 'Σ', 'ς', 'σ', 'ΝΊΚΟΣ'],
  ...['ａ', 'Ａ', 'ﬁ', 'fi', '\u212a', 'k', 'ｶﾞ', 'ガ', '\u{1f600}', '\uff5e', '\u{10400}', '\u{10428}'],
  ...[' ', '%', '_', '\\', '"', "'", '--', '$1', '?', '*', '.', '/', ')', ']', '\n', '\u200d', '\ufeff', 'ǰ'],
];

export const text: Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...WORDS) },
  {
    weight: 3,
    arbitrary: fc.array(fc.constantFrom(...WORDS), { minLength: 2, maxLength: 3 }).map((all) => all.join('')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }) },
);
const storable = text.filter((word) => word !== '' && !word.includes('\0') && word.isWellFormed());

const dateTime = fc
  .tuple(
    fc.date({
      min: new Date('1969-12-30T00:00:00Z'),
      max: new Date('1970-01-03T00:00:00Z'),
      noInvalidDate: true,
    }),
    fc.constantFrom('', '.5', '.500', '.123456789'),
    fc.constantFrom('Z', '+01:00', '-07:00', '+05:30', '-00:00'),
  )
  .map(([date, fraction, zone]) => `${date.toISOString().slice(0, 17)}00${fraction}${zone}`);

/** Values of a simple type as they may be stored. */
function scalars({ type, canonicalValues }: Definition): Arbitrary<Scalar> {
  switch (type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.oneof(fc.integer({ min: -3, max: 12 }), fc.maxSafeInteger());
    case 'decimal':
      return fc.oneof(
        fc.constantFrom(-1.5, 0, 0.1, 1, 1.5, 1e21, 5e-7),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      );
    case 'dateTime':
      return dateTime;
    case 'binary':
      return fc
        .uint8Array({ minLength: 1, maxLength: 3 })
        .map((bytes) => Buffer.from(bytes).toString('base64'));
    default:
      return canonicalValues
        ? fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...canonicalValues) }, storable)
        : storable;
  }
}

export const isWritable = ({ mutability, returned }: Definition) =>
  mutability !== 'readOnly' && returned !== 'never';
const isFilterable = ({ returned }: Definition) => returned !== 'never';

/** A value that a client may send for an attribute. */
export function values(definition: Definition): Arbitrary<unknown> {
  const one: Arbitrary<unknown> =
    definition.type === 'complex'
      ? fc.record(
          Object.fromEntries(
            (definition.subAttributes ?? [])
              .filter((sub) => isWritable(sub) && sub.name !== 'primary')
              .map((sub) => [sub.name, fc.option(values(sub), { freq: 15 })]),
          ),
          { requiredKeys: [] },
        )
      : scalars(definition);
  if (!definition.multiValued) return one;
  const many = fc.array(one, { maxLength: 3 });
  if (!definition.subAttributes?.some(({ name }) => name === 'primary')) return many;
  return fc
    .tuple(many, fc.array(fc.constantFrom(true, false, undefined), { minLength: 3, maxLength: 3 }))
    .map(withPrimary);
}

/** At most one value is primary (RFC 7643 section 2.4). */
function withPrimary([elements, flags]: [readonly unknown[], readonly (boolean | undefined)[]]): unknown[] {
  const chosen = flags.indexOf(true);
  return elements.map((element, index) => {
    const primary = index === chosen ? true : flags[index] && false;
    return { ...(element as object), ...(primary !== undefined && { primary }) };
  });
}

/** Bodies for POST. `fixed` gives the attributes that are not left to chance. */
export function bodies(type: TypeSchema, fixed: Record<string, Arbitrary<unknown>>): Arbitrary<JsonResource> {
  const recordOf = (located: readonly Located[]) => {
    const chosen = located.filter(
      ({ definition }) => isWritable(definition) && !Object.hasOwn(fixed, definition.name),
    );
    return fc.record(
      Object.fromEntries(chosen.map(({ definition }) => [definition.name, values(definition)])),
      { requiredKeys: [] },
    );
  };
  const extensions = type.extensions.map((urn) => [
    urn,
    recordOf(type.attributes.filter((each) => each.urn === urn)),
  ]);
  return fc
    .tuple(
      recordOf(type.attributes.filter(({ urn }) => urn === undefined)),
      fc.record(Object.fromEntries(extensions) as Record<string, Arbitrary<unknown>>, { requiredKeys: [] }),
      fc.record(fixed),
    )
    .map(([core, more, certain]) => ({ schemas: [type.core], ...core, ...more, ...certain }));
}

/** Everything that a filter may name, and what a resource of the set has there. */
export interface Known {
  readonly path: Path;
  readonly found: readonly Scalar[];
}

/** The paths of a type that have values of their own, with the values that occur in the resources. */
export function targetsOf(type: TypeSchema, resources: readonly JsonResource[]): Known[] {
  return pathsOf(type).map((path) => ({
    path,
    found: [...new Set(resources.flatMap((each) => scalarsAt(each, path)))],
  }));
}

function pathsOf({ attributes }: TypeSchema): Path[] {
  return attributes
    .filter(({ definition }) => isFilterable(definition))
    .flatMap((located) => {
      const subs = (located.definition.subAttributes ?? []).filter(isFilterable);
      return [located, ...subs.map((sub) => ({ ...located, sub }))];
    });
}

function scalarsAt(resource: JsonResource, { urn, definition, sub }: Path): Scalar[] {
  const holder = (urn === undefined ? resource : resource[urn]) as JsonResource | undefined;
  const part = sub ?? definition.subAttributes?.find(({ name }) => name === 'value');
  return [holder?.[definition.name]]
    .flat()
    .map((element) => (part ? (element as JsonResource | undefined)?.[part.name] : element))
    .filter((value) => typeof value !== 'object' && value !== undefined) as Scalar[];
}

const EQUAL: Operator[] = ['eq', 'ne'];
const ORDER: Operator[] = [...EQUAL, 'gt', 'ge', 'lt', 'le'];
const TEXT: Operator[] = [...ORDER, 'co', 'sw', 'ew'];

/** Table 3 of section 3.4.2.2: what compares which type. */
function operatorsOf({ type }: Definition): Operator[] {
  if (type === 'boolean' || type === 'binary') return EQUAL;
  return type === 'string' || type === 'reference' ? TEXT : ORDER;
}

function comparisons({ path, found }: Known): Arbitrary<Filter> {
  const definition = comparedPart(path) ?? path.definition;
  const wanted =
    found.length > 0
      ? fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...found) }, scalars(definition))
      : scalars(definition);
  const term = fc
    .tuple(fc.constantFrom(...operatorsOf(definition)), wanted, fc.nat(), fc.nat())
    .map(([operator, value, from, length]): Filter => {
      if (typeof value !== 'string') return { kind: 'compare', path, operator, value };
      const isDateTime = definition.type === 'dateTime';
      const spelt = isDateTime ? rewriteDateTime(value, chooser([from, length])) : value;
      const isPart = ['co', 'sw', 'ew'].includes(operator);
      return { kind: 'compare', path, operator, value: isPart ? cut(value, from, length, operator) : spelt };
    });
  const nothing = fc
    .constantFrom<Operator>('eq', 'ne')
    .map((operator): Filter => ({ kind: 'compare', path, operator, value: null }));
  const present = fc.constant<Filter>({ kind: 'present', path });
  const comparable = definition.type !== 'complex';
  return comparable
    ? fc.oneof(
        { weight: 8, arbitrary: term },
        { weight: 1, arbitrary: nothing },
        { weight: 2, arbitrary: present },
      )
    : present;
}

/** Some of the characters of a text: its start, its end, or from within. */
function cut(text: string, from: number, length: number, operator: Operator): string {
  const characters = Array.from(text);
  const count = length % (characters.length + 1);
  if (operator === 'sw') return characters.slice(0, count).join('');
  if (operator === 'ew') return characters.slice(characters.length - count).join('');
  const start = from % (characters.length + 1);
  return characters.slice(start, start + count).join('');
}

/** Filters on a set of resources. */
export function filters(targets: readonly Known[]): Arbitrary<Filter> {
  const term = fc.constantFrom(...targets).chain(comparisons);
  const owners = targets.filter(({ path }) => path.sub === undefined && isHolder(path.definition));
  const element = fc
    .constantFrom(...owners)
    .chain(({ path }) =>
      elementFilters(path, targets).map((part): Filter => ({ kind: 'element', path, part })),
    );
  return trees(fc.oneof({ weight: 3, arbitrary: term }, element), 3);
}

/** Filters on one element of an attribute, as they stand in brackets. */
export function elementFilters(owner: Path, known: readonly Known[]): Arbitrary<Filter> {
  const parts = known.filter(({ path }) => {
    return path.definition === owner.definition && (path.sub !== undefined || !path.definition.subAttributes);
  });
  return trees(fc.constantFrom(...parts).chain(comparisons), 2);
}

const isHolder = ({ multiValued, type }: Definition) => multiValued || type === 'complex';

function trees(leaf: Arbitrary<Filter>, maxDepth: number): Arbitrary<Filter> {
  return fc.letrec<{ tree: Filter }>((tie) => ({
    tree: fc.oneof(
      { maxDepth, withCrossShrink: true },
      { weight: 3, arbitrary: leaf },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          parts: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('not' as const), part: tie('tree') }) },
    ),
  })).tree;
}

/** Sorts by everything that has a value to sort by. */
export function sorts(targets: readonly Known[]): Arbitrary<Sort> {
  const paths = targets
    .map(({ path }) => path)
    .filter((path) => (comparedPart(path) ?? path.definition).type !== 'complex');
  return fc.record({
    by: fc.constantFrom(...paths),
    order: fc.constantFrom('ascending' as const, 'descending' as const, undefined),
  });
}
