import { readAttributePath, resolveElementPath, schemasOf } from './attribute-path.ts';
import { badRequest, quotable, type ScimError } from './error.ts';
import { parseElementFilter } from './filter.ts';
import { FILTER_LIMITS } from './filter-lexer.ts';
import type { AttributePath, PatchTarget, Reading, ResourceType } from './types.ts';

export { resolveAttributePath } from './attribute-path.ts';

/**
 * Reads the `path` of a PATCH operation (RFC 7644 section 3.5.2, figure 7). The bare URN of an extension is
 * the whole extension, that of the core schema the resource. Throws `invalidPath` naming what is unknown, and
 * `invalidFilter` for what stands in the brackets.
 */
export function parsePatchPath(type: ResourceType, text: string, reading: Reading): PatchTarget {
  if (text.length > FILTER_LIMITS.characters) {
    throw badRequest('invalidPath', `The path is longer than ${FILTER_LIMITS.characters} characters`);
  }
  const open = text.indexOf('[');
  if (open >= 0) return parseValuePath(type, text, open, reading);
  const named = schemasOf(type).find((schema) => schema.id.toLowerCase() === text.toLowerCase());
  if (named === type.schema) return { kind: 'resource' };
  if (named !== undefined) return { kind: 'extension', extension: named };
  return { kind: 'attribute', path: resolve(type, text, reading) };
}

/** `valuePath [subAttr]`: `emails[type eq "work"].value`. */
function parseValuePath(type: ResourceType, text: string, open: number, reading: Reading): PatchTarget {
  const path = resolve(type, text.slice(0, open), reading);
  if (path.subAttribute !== undefined || !path.attribute.multiValued) {
    throw invalidPath(text, 'brackets stand after a multi-valued attribute only');
  }
  const close = closingBracket(text, open + 1);
  if (close < 0) throw invalidPath(text, 'the bracket "[" is not closed');
  const filter = parseElementFilter(text.slice(open + 1, close), path, reading);
  const rest = text.slice(close + 1);
  if (rest === '') return { kind: 'element', path, filter };
  const subAttribute = rest.startsWith('.')
    ? resolveElementPath(path, rest.slice(1))?.subAttribute
    : undefined;
  if (subAttribute === undefined) {
    throw invalidPath(text, `"${rest.slice(0, 80)}" is not a sub-attribute of "${path.attribute.name}"`);
  }
  return { kind: 'element', path, filter, subAttribute };
}

/** Where the bracket closes: brackets in strings do not count, and value paths do not nest. */
function closingBracket(text: string, from: number): number {
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    else if (quoted && character === '\\') at++;
    else if (!quoted && character === ']') return at;
  }
  return -1;
}

function resolve(type: ResourceType, text: string, reading: Reading): AttributePath {
  const path = readAttributePath(type, text, reading);
  if (path === undefined) throw invalidPath(text, `the schemas of a ${type.name} have no such attribute`);
  return path;
}

function invalidPath(text: string, problem: string): ScimError {
  return badRequest('invalidPath', `The path "${quotable(text)}" does not hold: ${problem}`);
}
