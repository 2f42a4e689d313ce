import fc from 'fast-check';
import { resolveAttributePath } from '../../src/scim/path.ts';
import { CORE_USER, ENTERPRISE_USER, USER_TYPE } from '../../src/scim/resource-types.ts';
import type { Attribute, AttributePath, FilterNode, ResourceType } from '../../src/scim/types.ts';

/** The users of a tenant whose own extension has the types that no schema of the RFC uses. */
export const TYPE = typeWith([
  { name: 'age', type: 'integer' },
  { name: 'score', type: 'decimal' },
  { name: 'hired', type: 'dateTime' },
  { name: 'tags', multiValued: true },
  { name: 'constructor' },
]);

function typeWith(attributes: Partial<Attribute>[]): ResourceType {
  const title = USER_TYPE.schema.attributes.find(({ name }) => name === 'title') as Attribute;
  const schema = {
    id: 'urn:example:tenant:2.0:User',
    name: 'Tenant',
    description: '',
    attributes: attributes.map((attribute) => ({ ...title, ...attribute })),
  };
  return { ...USER_TYPE, extensions: [...USER_TYPE.extensions, { schema, required: false }] };
}

/** `name.sub`, with `+` before a name of an extension. */
export function nameOf({ extension, attribute, subAttribute }: AttributePath): string {
  return (extension ? '+' : '') + [attribute.name, subAttribute?.name].filter(Boolean).join('.');
}

interface Term {
  kind: 'term';
  name: string;
  operator: string;
  value: string | number | boolean;
}

/** What a filter means, apart from how it is written. */
export type Meaning =
  | { kind: 'and' | 'or'; parts: Meaning[] }
  | { kind: 'not'; part: Meaning }
  | { kind: 'element'; name: string; part: Meaning }
  | Term;

const TEXT_NAMES = [
  'userName',
  'name.familyName',
  'externalId',
  'emails.value',
  'emails',
  `${CORE_USER}:title`,
];
const MORE_NAMES = ['constructor', 'profileUrl', `${ENTERPRISE_USER}:department`, 'manager', 'groups.$ref'];
const value = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !text.includes('\0'));

function termsOf(names: string[], operators: string[], values: fc.Arbitrary<Term['value']>) {
  return fc.record({
    kind: fc.constant('term' as const),
    name: fc.constantFrom(...names),
    operator: fc.constantFrom(...operators),
    value: values,
  });
}

const ORDER = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'];
const TEXT = [...ORDER, 'co', 'sw', 'ew', 'pr'];
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((double) => double + 0);
const elementTerm = termsOf(['type', 'value', 'display'], TEXT, value);
const flagTerm = termsOf(['primary'], ['eq', 'ne', 'pr'], fc.boolean());
const resourceTerm = fc.oneof(
  termsOf([...TEXT_NAMES, ...MORE_NAMES], TEXT, value),
  termsOf(['active', 'roles.primary'], ['eq', 'ne', 'pr'], fc.boolean()),
  termsOf(['age', 'score'], [...ORDER, 'pr'], number),
  termsOf(['meta.created', 'hired'], ORDER, fc.constant('2020-01-01T00:00:00.000000000Z')),
);

function trees(leaf: fc.Arbitrary<Meaning>): fc.Arbitrary<Meaning> {
  return fc.letrec<{ tree: Meaning }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        parts: fc.array(tie('tree'), { minLength: 2, maxLength: 4 }),
      }),
      fc.record({ kind: fc.constant('not' as const), part: tie('tree') }),
    ),
  })).tree;
}

const elements = fc.record({
  kind: fc.constant('element' as const),
  name: fc.constantFrom('emails', 'ims', 'roles'),
  part: trees(fc.oneof(elementTerm, flagTerm)),
});
export const meanings = trees(fc.oneof({ arbitrary: resourceTerm, weight: 3 }, elements));

/** One of the ways to write a filter: case, spaces and parentheses that are not needed are up to `choose`. */
export function write(meaning: Meaning, choose: (count: number) => number): string {
  const space = () => ' '.repeat(1 + choose(2));
  const maybeSpace = () => ' '.repeat(choose(2));
  const anyCase = (word: string) => [word, word.toUpperCase(), word.toLowerCase()][choose(3)];
  const inner = (part: Meaning) => write(part, choose);
  const grouped = (part: Meaning) => `(${maybeSpace()}${inner(part)}${maybeSpace()})`;
  switch (meaning.kind) {
    case 'not':
      return `${anyCase('not')}${maybeSpace()}${grouped(meaning.part)}`;
    case 'element':
      return `${anyCase(meaning.name)}[${maybeSpace()}${inner(meaning.part)}${maybeSpace()}]`;
    case 'term': {
      const start = `${anyCase(meaning.name)}${space()}${anyCase(meaning.operator)}`;
      return meaning.operator === 'pr' ? start : `${start}${space()}${writeValue(meaning.value, choose)}`;
    }
    default: {
      const parts = meaning.parts.map((part) => {
        const needed = meaning.kind === 'and' && part.kind === 'or';
        return needed || choose(4) === 0 ? grouped(part) : inner(part);
      });
      return parts.reduce((left, right) => `${left}${space()}${anyCase(meaning.kind)}${space()}${right}`);
    }
  }
}

function writeValue(value: Term['value'], choose: (count: number) => number): string {
  const json = JSON.stringify(value);
  if (typeof value !== 'string' || choose(2) === 0) return json;
  const escaped = [...value].flatMap((character) => character.split(''));
  return `"${escaped.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
}

/** The tree that a filter of that meaning has to give, literal values only. */
export function expected(meaning: Meaning, owner = ''): unknown {
  switch (meaning.kind) {
    case 'not':
      return { not: expected(meaning.part, owner) };
    case 'element':
      return { element: meaning.name, of: expected(meaning.part, `${meaning.name}.`) };
    case 'term': {
      const { name, operator } = meaning;
      const path = resolveAttributePath(TYPE, owner + name) as AttributePath;
      const implied =
        operator !== 'pr' && path.attribute.type === 'complex' && !path.subAttribute ? '.value' : '';
      return [nameOf(path) + implied, operator, ...(operator === 'pr' ? [] : [meaning.value])];
    }
    default: {
      const { kind, parts } = meaning;
      const flat = (part: Meaning): Meaning[] => (part.kind === kind ? part.parts.flatMap(flat) : [part]);
      return { [kind]: parts.flatMap(flat).map((part) => expected(part, owner)) };
    }
  }
}

/** What a parsed filter says, in the form of `expected`. */
export function parsed(node: FilterNode): unknown {
  switch (node.kind) {
    case 'not':
      return { not: parsed(node.filter) };
    case 'element':
      return { element: nameOf(node.path), of: parsed(node.filter) };
    case 'present':
      return [nameOf(node.path), 'pr'];
    case 'compare':
      return [nameOf(node.path), node.operator, node.literal];
    case 'constant':
      return node.value;
    default:
      return { [node.kind]: node.filters.map(parsed) };
  }
}
