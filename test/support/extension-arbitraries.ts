import fc from 'fast-check';

/** Definitions that a tenant may declare, with values that they accept. */

export type Value = string | number | boolean | { readonly [name: string]: Value } | readonly Value[];

export interface Declared {
  readonly name: string;
  readonly type: string;
  readonly multiValued?: boolean;
  readonly caseExact?: boolean;
  readonly subAttributes?: readonly Declared[];
}

/** An attribute with two values for it. */
export interface Sample {
  readonly declared: Declared;
  readonly value: Value;
  readonly other: Value;
}

const text = fc.string({ unit: fc.constantFrom(...'abzABZ09 _"\\/é漢ß'), minLength: 1, maxLength: 12 });
const VALUES: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  string: text,
  reference: text,
  boolean: fc.boolean(),
  integer: fc.maxSafeInteger(),
  // As JSON has it: without a zero that is negative.
  decimal: fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
  dateTime: fc
    .date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    })
    .map((date) => date.toISOString()),
  binary: fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64')),
};

const names = fc.constantFrom(
  'a',
  'B_1',
  'c-$',
  'id',
  'active',
  'groups',
  'schemas',
  'constructor',
  'members',
);
const partNames = fc.constantFrom('value', 'display', 'note', 'Level', 'id', 'toString');

function simple(name: string): fc.Arbitrary<Declared> {
  const types = name === 'display' ? ['string'] : Object.keys(VALUES);
  return fc
    .tuple(fc.constantFrom(...types), fc.boolean())
    .map(([type, caseExact]) => ({ name, type, ...(type === 'string' && { caseExact }) }));
}

const complex = (name: string): fc.Arbitrary<Declared> =>
  fc
    .uniqueArray(partNames, { minLength: 1, maxLength: 3 })
    .chain((parts) => fc.tuple(...parts.map(simple)))
    .map((subAttributes) => ({ name, type: 'complex', subAttributes }));

const attribute = (name: string): fc.Arbitrary<Declared> =>
  fc
    .tuple(
      fc.oneof({ weight: 2, arbitrary: simple(name) }, { weight: 1, arbitrary: complex(name) }),
      fc.boolean(),
    )
    .map(([declared, multiValued]) => ({ ...declared, multiValued }));

/** One value: of a complex attribute each part has one, so that every part can be asked for. */
function single({ type, subAttributes }: Declared): fc.Arbitrary<Value> {
  if (subAttributes === undefined) return VALUES[type] ?? fc.constant('');
  return fc.record(Object.fromEntries(subAttributes.map((part) => [part.name, single(part)])));
}

/** What two values must not share to be two: of a complex one its `value`, compared without case as others may be. */
function identity(value: Value): string {
  const { value: own = value } = value as { readonly value?: Value };
  return JSON.stringify(own).normalize('NFKC').toLowerCase();
}

/** Several values are different ones: equal ones are kept once. */
const anyOf = (declared: Declared): fc.Arbitrary<Value> =>
  declared.multiValued
    ? fc.uniqueArray(single(declared), {
        minLength: 1,
        maxLength: 3,
        selector: identity,
      })
    : single(declared);

const sample = (declared: Declared): fc.Arbitrary<Sample> =>
  fc.record({ declared: fc.constant(declared), value: anyOf(declared), other: anyOf(declared) });

/** What an extension may have, each attribute with values. */
export const samples: fc.Arbitrary<Sample[]> = fc
  .uniqueArray(names, { minLength: 1, maxLength: 4 })
  .chain((chosen) => fc.tuple(...chosen.map((name) => attribute(name).chain(sample))));
