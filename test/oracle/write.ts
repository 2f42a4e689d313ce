import { instantOf } from './compare.ts';
import type { Filter, Path } from './query.ts';
import type { TypeSchema } from './schema.ts';

/** Gives a number below its argument: which of the ways to write something is taken. */
export type Choose = (count: number) => number;

/** Takes the choices one after the other, again and again. */
export function chooser(choices: readonly number[]): Choose {
  let position = 0;
  return (count) => (choices[position++ % choices.length] ?? 0) % count;
}

/** One of the texts that mean a filter (RFC 7644 section 3.4.2.2, figure 1). */
export function writeFilter(filter: Filter, type: TypeSchema, choose: Choose, mayFollow = true): string {
  const space = () => ' '.repeat(1 + Math.max(0, choose(6) - 4));
  const maybeSpace = () => ' '.repeat(Math.max(0, choose(4) - 2));
  const grouped = (part: Filter, inside: boolean) => `(${maybeSpace()}${write(part, inside)}${maybeSpace()})`;
  const nameIn = (path: Path, inside: boolean) =>
    inside ? anyCase(path.sub?.name ?? 'value', choose) : writePath(path, type, choose);

  function write(node: Filter, inside: boolean): string {
    switch (node.kind) {
      case 'not':
        return `${anyCase('not', choose)}${maybeSpace()}${grouped(node.part, inside)}`;
      case 'element':
        return writeElement(node);
      case 'present':
        return `${nameIn(node.path, inside)}${space()}${anyCase('pr', choose)}`;
      case 'compare': {
        const start = `${nameIn(node.path, inside)}${space()}${anyCase(node.operator, choose)}`;
        return `${start}${space()}${writeValue(node.value, choose)}`;
      }
      default: {
        const parts = node.parts.map((part) => {
          const needed = node.kind === 'and' && part.kind === 'or';
          return needed || choose(4) === 0 ? grouped(part, inside) : write(part, inside);
        });
        return parts.reduce((left, right) => {
          return `${left}${space()}${anyCase(node.kind, choose)}${space()}${right}`;
        });
      }
    }
  }
  /** The last term may stand after the brackets, as Entra ID writes it: it speaks of the same element. */
  function writeElement({ path, part }: Extract<Filter, { kind: 'element' }>): string {
    const bracketed = (inner: Filter) =>
      `${writePath(path, type, choose)}[${maybeSpace()}${write(inner, true)}${maybeSpace()}]`;
    const last = part.kind === 'and' ? part.parts.at(-1) : undefined;
    const isTerm = (last?.kind === 'compare' || last?.kind === 'present') && last.path.sub !== undefined;
    if (part.kind !== 'and' || !last || !isTerm || !mayFollow || choose(2)) return bracketed(part);
    const [first, ...others] = part.parts.slice(0, -1);
    const before: Filter = first && others.length === 0 ? first : { ...part, parts: part.parts.slice(0, -1) };
    return `${bracketed(before)}.${write(last, true)}`;
  }
  return write(filter, false);
}

/** A path in attribute notation (section 3.10): with or without the URN of its schema. */
export function writePath({ urn, definition, sub }: Path, type: TypeSchema, choose: Choose): string {
  const name = [definition.name, sub?.name].filter((part) => part !== undefined).join('.');
  const isCommon = ['schemas', 'id', 'externalId', 'meta'].includes(definition.name);
  // A bare name means the core attribute; it means that of an extension where no other has the name.
  const ambiguous =
    type.attributes.filter((other) => sameName(other.definition.name, definition.name)).length > 1;
  const qualified = urn === undefined ? !isCommon && choose(5) === 0 : ambiguous || choose(3) > 0;
  return anyCase(qualified ? `${urn ?? type.core}:${name}` : name, choose);
}

const sameName = (left: string, right: string) => left.toLowerCase() === right.toLowerCase();

function anyCase(word: string, choose: Choose): string {
  switch (choose(5)) {
    case 0:
      return word.toUpperCase();
    case 1:
      return word.toLowerCase();
    case 2:
      return Array.from(word, (letter) => (choose(2) ? letter.toUpperCase() : letter.toLowerCase())).join('');
    default:
      return word;
  }
}

function writeValue(value: string | number | boolean | null, choose: Choose): string {
  if (typeof value === 'number') return writeNumber(value, choose);
  if (typeof value !== 'string' || choose(4) > 0) return JSON.stringify(value);
  const escaped = value.split('').map((unit) => {
    const code = `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
    const isWhole = unit >= ' ' && unit !== '"' && unit !== '\\' && !/[\ud800-\udfff]/.test(unit);
    return isWhole && choose(2) ? unit : code;
  });
  return `"${escaped.join('')}"`;
}

function writeNumber(value: number, choose: Choose): string {
  const forms = [
    String(value),
    value.toExponential(),
    Number.isInteger(value) ? `${value}.0` : String(value),
  ];
  const written = forms[choose(forms.length)] ?? '';
  // What JavaScript writes for large integers has an exponent, to which no fraction can be added.
  return Number(written) === value ? written : String(value);
}

/** The same instant with another offset, and with another number of digits. */
export function rewriteDateTime(text: string, choose: Choose): string {
  const instant = instantOf(text);
  const nanoseconds = ((instant % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const offset = (choose(27) - 13) * 60 + choose(2) * 30;
  const local = new Date(Number((instant - nanoseconds) / 1_000_000n) + offset * 60_000);
  const digits = String(nanoseconds).padStart(9, '0');
  const fraction = choose(2) ? digits : digits.replace(/0+$/, '');
  const two = (number: number) => String(Math.trunc(Math.abs(number))).padStart(2, '0');
  const zone =
    offset === 0 && choose(2) ? 'Z' : `${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
  return `${local.toISOString().slice(0, 19)}${fraction && `.${fraction}`}${zone}`;
}
