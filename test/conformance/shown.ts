import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A test that shows requirements, as its source names it. */
export interface ShownBy {
  readonly numbers: readonly number[];
  /** `test/conformance/create.test.ts`. */
  readonly file: string;
  readonly title: string;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Every call of `meets` in the suite, in the order of files and lines. */
export function shownByTests(): ShownBy[] {
  const files = readdirSync(`${ROOT}test`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .sort();
  return files.flatMap((file) =>
    readCalls(readFileSync(`${ROOT}test/${file}`, 'utf8')).map((call) => ({ ...call, file: `test/${file}` })),
  );
}

const COMMENT = /^[ \t]*(?:\/\/.*|\/\*[\s\S]*?\*\/)/gm;
const CALL = /\bmeets\(/g;
const TOP_LEVEL = /^(?:await )?$/;
const LITERALS = /^\s*t,\s*\[((?:\s*\d+,?)+)\s*\],\s*(?:'((?:[^'\\\n]|\\.)+)'|"((?:[^"\\\n]|\\.)+)"),/;

/**
 * The calls of `meets` in a source, with their numbers and title; those in comments are none. Throws when one does not
 * begin a line, since it might never run, and when one is not written with literals: it would show something that
 * nobody can look up.
 */
export function readCalls(source: string): Omit<ShownBy, 'file'>[] {
  const code = source.replace(COMMENT, (comment) => comment.replace(/[^\n]/g, ' '));
  return [...code.matchAll(CALL)].map(({ 0: call, index }) => {
    const before = code.slice(0, index).split('\n');
    const fail = (what: string) => new Error(`line ${before.length}: ${what}`);
    if (!TOP_LEVEL.test(before.at(-1) ?? ''))
      throw fail('call meets at the top level, at the start of a line: elsewhere it might never run');
    const literals = LITERALS.exec(code.slice(index + call.length));
    if (!literals) throw fail("write meets(t, [numbers], 'title', …) with literals");
    const [, numbers = '', single, double = ''] = literals;
    return {
      numbers: [...numbers.matchAll(/\d+/g)].map(Number),
      title: (single ?? double).replace(/\\(.)/g, '$1'),
    };
  });
}
