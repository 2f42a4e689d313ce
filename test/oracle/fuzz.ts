import fc, { type Arbitrary } from 'fast-check';

/** Texts and JSON bodies that are almost right, or not at all. */

/** Names that a prototype has: code that reads them without care finds something. */
const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

const TOKENS = [
  ...[
    ' ',
    '(',
    ')',
    '[',
    ']',
    '"',
    '\\',
    '.',
    ':',
    ',',
    "'",
    '$ref',
    '/',
    '%',
    '\0',
    '\n',
    '\u00a0',
    '\ud800',
    '\udc00',
  ],
  ...[
    'eq',
    'ne',
    'co',
    'sw',
    'ew',
    'gt',
    'le',
    'pr',
    'and',
    'or',
    'not',
    'not (',
    ' and ',
    ' or ',
    ' eq ',
    ' pr',
  ],
  ...[
    'true',
    'null',
    'NaN',
    '1e999',
    '-0',
    '9'.repeat(400),
    '0x10',
    '"\\u0000"',
    '"\\ud800"',
    '"x"',
    '2020-01-01T00:00:00Z',
  ],
  ...[
    'userName',
    'emails',
    'emails[',
    'type eq "work"',
    '].value',
    'members',
    'meta',
    'schemas',
    'urn:',
    'x'.repeat(300),
  ],
  ...['((((((((((', '))))))))))', '[[[[', 'not (not (not (', ...PROTOTYPE_NAMES, '\u{1f600}', 'é'],
];

type Edit = readonly [kind: number, from: number, length: number, token: string];
const edits: Arbitrary<Edit> = fc.tuple(fc.nat(4), fc.nat(), fc.nat(12), fc.constantFrom(...TOKENS));

/** Valid texts, with a few places changed in most; and rows of tokens. */
export function brokenTexts(valid: Arbitrary<string>): Arbitrary<string> {
  const changed = fc
    .tuple(valid, fc.array(edits, { maxLength: 3 }))
    .map(([text, all]) => all.reduce(edited, text));
  const tokens = fc.array(fc.constantFrom(...TOKENS), { maxLength: 12 }).map((all) => all.join(' '));
  const nested = fc
    .tuple(valid, fc.constantFrom(1, 40, 60, 3_000), fc.constantFrom('(', 'not (', 'emails['))
    .map(([text, depth, open]) => open.repeat(depth) + text + (open.endsWith('[') ? ']' : ')').repeat(depth));
  return fc.oneof(
    { weight: 12, arbitrary: changed },
    { weight: 3, arbitrary: tokens },
    { weight: 1, arbitrary: nested },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  );
}

function edited(text: string, [kind, from, length, token]: Edit): string {
  const start = from % (text.length + 1);
  const [before, part, after] = [
    text.slice(0, start),
    text.slice(start, start + length),
    text.slice(start + length),
  ];
  return (
    [
      before + token + part + after,
      before + after,
      before + token + after,
      before + part + part + after,
      before,
    ][kind] ?? text
  );
}

/** Stand for what JSON can say and JavaScript cannot: texts of which `toJson` takes the quotation marks away. */
const LITERALS = ['@1e999', '@-1e999', '@1e-400', '@123456789012345678901234567890', '@-0'];

const oddValues: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, '', true, 'True', 'false', 0, -1, 1.5, [], {}, [[]], [null], [{}], ...LITERALS),
  fc.constantFrom('\0', '\ud800', 'x'.repeat(3_000), 'x', '__proto__', '2020-01-01T00:00:00Z', 'AA=='),
  fc.constantFrom(...PROTOTYPE_NAMES).map((name) => Object.fromEntries([[name, { polluted: 'yes' }]])),
  fc
    .constantFrom(2, 40, 1_200)
    .map((length) => Array.from({ length }, (_, index) => ({ value: `${index}`, primary: true }))),
  fc
    .constantFrom(3, 40)
    .map((depth) => Array.from({ length: depth }).reduce<unknown>((inner) => ({ name: inner }), 'x')),
  fc.jsonValue({ maxDepth: 2 }),
);

type Cut = readonly [where: number, kind: number, value: unknown, name: string];

/** JSON texts of bodies of which some places hold something else, have another name, or are there twice. */
export function brokenBodies(valid: Arbitrary<unknown>, names: readonly string[]): Arbitrary<string> {
  const name = fc.constantFrom(...names, ...PROTOTYPE_NAMES);
  const cuts = fc.array(fc.tuple(fc.nat(), fc.nat(4), oddValues, name), { maxLength: 3 });
  const texts = fc
    .tuple(valid, cuts)
    .map(([body, all]) => toJson(all.reduce(cut, JSON.parse(JSON.stringify(body)))));
  const raw = fc.tuple(texts, edits).map(([text, edit]) => edited(text, edit));
  const twice = fc.tuple(texts, name, fc.nat()).map(([text, key, from]) => {
    const places = [...text.matchAll(/\{(?=")/g)].map(({ index }) => index + 1);
    const place = places[from % Math.max(1, places.length)] ?? 0;
    return `${text.slice(0, place)}${JSON.stringify(key)}:"twice",${text.slice(place)}`;
  });
  return fc.oneof(
    { weight: 14, arbitrary: texts },
    { weight: 1, arbitrary: raw },
    { weight: 2, arbitrary: twice },
  );
}

function toJson(body: unknown): string {
  return JSON.stringify(body).replaceAll(/"@(-?[\d.e-]+)"/g, '$1');
}

/** The body with one member changed: replaced, removed, renamed, in another case, or beside one in another case. */
function cut(body: unknown, [where, kind, value, name]: Cut): unknown {
  const copy = structuredClone(body);
  const places = holdersIn(copy).flatMap((holder) => Object.keys(holder).map((key) => ({ holder, key })));
  const place = places[where % Math.max(1, places.length)];
  if (!place) return value;
  const { holder, key } = place;
  const old = holder[key];
  if (kind !== 3) delete holder[key];
  const set = (to: string, what: unknown) =>
    Object.defineProperty(holder, to, { value: what, enumerable: true, configurable: true, writable: true });
  if (kind === 0) set(key, value);
  if (kind === 2) set(Array.isArray(holder) ? key : name, old);
  if (kind === 3 && !Array.isArray(holder)) set(key.toUpperCase(), value);
  if (kind === 4) set(key, [old]);
  return copy;
}

/** All objects and arrays of a body, from the outside in. */
function holdersIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(holdersIn)];
}

/** What `Object.prototype` holds, and what every object shows of it. */
export function prototypeState(): string {
  const shown: string[] = [];
  for (const name in {}) shown.push(name);
  return JSON.stringify([
    Object.getOwnPropertyNames(Object.prototype),
    Object.getOwnPropertyNames(Array.prototype),
    shown,
  ]);
}
