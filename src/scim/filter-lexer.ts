import { badRequest, type ScimError } from './error.ts';
import { note } from './quirks.ts';
import type { CompareOperator, Reading } from './types.ts';

/** What a filter may have at most, counted before anything recursive sees it. */
export const FILTER_LIMITS = { characters: 8192, depth: 50, terms: 500 } as const;

/** A comparison value as it was written: a string without its quotes, or a bare word. */
export interface WrittenValue {
  readonly text: string;
  readonly quoted: boolean;
  readonly position: number;
}

/** An attribute path where it was written, counted from 0. */
export interface WrittenPath {
  readonly text: string;
  readonly position: number;
}

/** `path pr` or `path operator value`. */
export type Term =
  | { readonly path: WrittenPath; readonly operator: 'pr' }
  | { readonly path: WrittenPath; readonly operator: CompareOperator; readonly value: WrittenValue };

/**
 * A filter that holds syntactically. In `skeleton` the n-th term stands as `t{n} pr` and the path of the n-th
 * value path as `v{n}`, so that it consists of our own words only.
 */
export interface LexedFilter {
  readonly skeleton: string;
  readonly terms: readonly Term[];
  readonly valuePaths: readonly WrittenPath[];
}

/** A position for people, who count from 1. */
export function place(position: number): string {
  return `character ${position + 1} of the filter`;
}

/** 400 `invalidFilter`: what is wrong, and where. */
export function invalidFilter(problem: string, position: number): ScimError {
  return badRequest('invalidFilter', `${problem} (at ${place(position)})`);
}

/**
 * Takes a filter apart by the grammar of RFC 7644 section 3.4.2.2, figure 1, in one pass from left to right,
 * within `FILTER_LIMITS`. Two additions: `attr[…].sub op value`, which Entra ID sends, means one element for
 * which both hold; and values may be bare words. Throws `invalidFilter`.
 */
export function lexFilter(text: string, reading: Reading): LexedFilter {
  if (text.length > FILTER_LIMITS.characters) {
    throw badRequest('invalidFilter', `The filter is longer than ${FILTER_LIMITS.characters} characters`);
  }
  return new FilterLexer(text, reading).read();
}

// Each starts where the last token ended (sticky) and its alternatives exclude one another: linear time.
const SPACE = /[ \t\r\n]+/y;
const WORD = /[^\s()[\]"]+/y;
const STRING = /"(?:[ !#-[\]-\u{10ffff}]|\\[ -\u{10ffff}])*"/uy;

const OPERATORS: ReadonlySet<string> = new Set(['pr', 'eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']);

type Expected = 'operand' | 'connective';

class FilterLexer {
  readonly #text: string;
  readonly #reading: Reading;
  readonly #skeleton: string[] = [];
  readonly #terms: Term[] = [];
  readonly #valuePaths: WrittenPath[] = [];
  /** Positions of the brackets that are open. */
  readonly #open: number[] = [];
  #at = 0;

  constructor(text: string, reading: Reading) {
    this.#text = text;
    this.#reading = reading;
  }

  read(): LexedFilter {
    let expected: Expected = 'operand';
    let spaced = this.#takeSpace();
    while (this.#at < this.#text.length) {
      expected = expected === 'operand' ? this.#operand() : this.#connective(spaced);
      spaced = this.#takeSpace();
    }
    const unclosed = this.#open.at(-1);
    if (unclosed !== undefined) throw invalidFilter(`"${this.#text[unclosed]}" is not closed`, unclosed);
    if (expected === 'operand') {
      throw invalidFilter('The filter ends where an attribute is expected', this.#at);
    }
    return { skeleton: this.#skeleton.join(' '), terms: this.#terms, valuePaths: this.#valuePaths };
  }

  #operand(): Expected {
    const position = this.#at;
    if (this.#text[position] === '(') return this.#openBracket('(');
    const word = this.#take(WORD);
    if (word === undefined) throw invalidFilter('Expected an attribute, "not" or "("', position);
    if (word.toLowerCase() === 'not') return this.#negation();
    const path = { text: word, position };
    if (this.#text[this.#at] !== '[') {
      this.#term(path);
      return 'connective';
    }
    this.#skeleton.push(`v${this.#valuePaths.push(path) - 1}`);
    return this.#openBracket('[', '(');
  }

  #negation(): Expected {
    this.#takeSpace();
    if (this.#text[this.#at] !== '(') throw invalidFilter('Expected "(" after "not"', this.#at);
    this.#skeleton.push('not');
    return this.#openBracket('(');
  }

  #connective(spaced: boolean): Expected {
    const position = this.#at;
    const character = this.#text[position];
    if (character === ')' || character === ']') return this.#closeBracket(character);
    const word = this.#take(WORD)?.toLowerCase();
    if (!spaced || (word !== 'and' && word !== 'or'))
      throw invalidFilter('Expected " and " or " or "', position);
    if (!this.#takeSpace()) throw invalidFilter(`Expected a space after "${word}"`, this.#at);
    this.#skeleton.push(word);
    return 'operand';
  }

  /** Inside `[` the skeleton has an extra pair of parentheses, for what may follow the closing bracket. */
  #openBracket(...bracket: string[]): Expected {
    if (this.#open.push(this.#at) > FILTER_LIMITS.depth) {
      throw invalidFilter(`The filter is nested deeper than ${FILTER_LIMITS.depth} levels`, this.#at);
    }
    this.#at++;
    this.#skeleton.push(...bracket);
    return 'operand';
  }

  #closeBracket(bracket: ')' | ']'): Expected {
    const opened = this.#open.pop();
    if (opened === undefined || this.#text[opened] !== (bracket === ')' ? '(' : '[')) {
      throw invalidFilter(`"${bracket}" closes nothing`, this.#at);
    }
    this.#at++;
    this.#skeleton.push(')');
    if (bracket === ']') {
      if (this.#text[this.#at] === '.') this.#trailingTerm();
      this.#skeleton.push(']');
    }
    return 'connective';
  }

  /** `attr[…].sub op value`: a further term on the same element. */
  #trailingTerm(): void {
    const position = ++this.#at;
    const text = this.#take(WORD);
    if (text === undefined) throw invalidFilter('Expected a sub-attribute after "]."', position);
    note(this.#reading, 'filterAfterBrackets', place(position));
    this.#skeleton.push('and');
    this.#term({ text, position });
  }

  /** The operator and the value that follow a path. */
  #term(path: WrittenPath): void {
    const operator = this.#operator(path);
    const index = this.#terms.push(
      operator === 'pr' ? { path, operator } : { path, operator, value: this.#value(operator) },
    );
    if (index > FILTER_LIMITS.terms) {
      throw invalidFilter(`The filter has more than ${FILTER_LIMITS.terms} terms`, path.position);
    }
    this.#skeleton.push(`t${index - 1}`, 'pr');
  }

  #operator(path: WrittenPath): CompareOperator | 'pr' {
    this.#takeSpace();
    const position = this.#at;
    const word = this.#take(WORD);
    if (word === undefined) {
      throw invalidFilter(`Expected a space and an operator after "${excerpt(path.text)}"`, position);
    }
    const operator = word.toLowerCase();
    if (!isOperator(operator))
      throw invalidFilter(`The operator "${excerpt(word)}" is not supported`, position);
    return operator;
  }

  #value(operator: CompareOperator): WrittenValue {
    // A quotation mark ends the operator as well: RFC 7644 prints members[value eq"…"] itself (section 3.5.2.2).
    if (!this.#takeSpace() && this.#text[this.#at] !== '"') {
      throw invalidFilter(`Expected a space and a value after "${operator}"`, this.#at);
    }
    const position = this.#at;
    const string = this.#take(STRING);
    const text = string === undefined ? this.#take(WORD) : this.#decode(string, position);
    if (text === undefined) {
      throw invalidFilter(
        'Expected a value: a JSON string in double quotes, a number, true, false or null',
        position,
      );
    }
    if (string === undefined && text.startsWith("'")) {
      throw invalidFilter('Strings stand in double quotes, not in single quotes', position);
    }
    if (text.includes('\0') || !text.isWellFormed()) {
      throw invalidFilter('The value has a NUL character or half of a surrogate pair', position);
    }
    return { text, quoted: string !== undefined, position };
  }

  /** The text of a JSON string; Windows account names come with a backslash that is no escape. */
  #decode(string: string, position: number): string {
    try {
      return JSON.parse(string);
    } catch {
      note(this.#reading, 'filterBackslash', place(position));
      return string.slice(1, -1).replaceAll('\\"', '"');
    }
  }

  #takeSpace(): boolean {
    return this.#take(SPACE) !== undefined;
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at;
    const taken = token.exec(this.#text)?.[0];
    this.#at += taken?.length ?? 0;
    return taken;
  }
}

function isOperator(word: string): word is CompareOperator | 'pr' {
  return OPERATORS.has(word);
}

/** Enough of a word to find it again; answers do not echo long input. */
export function excerpt(word: string): string {
  return word.length > 80 ? `${word.slice(0, 80)}…` : word;
}
