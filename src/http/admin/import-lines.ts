import { isUtf8 } from 'node:buffer';
import { setImmediate as othersAreServed } from 'node:timers/promises';
import type { ImportLine } from '../../actions/import-users.ts';
import { AppError } from '../../errors.ts';
import { parseJson } from '../json.ts';

/** The lines of a file of users, each read by itself: one that cannot be read says why, and the others are read. */

/** So many users at once. */
export const MAX_LINES = 50_000;

/** Reads a value as a line's entry. @throws AppError whose pointer leads into the line. */
export type ReadEntry = (value: unknown) => Extract<ImportLine, { entry: unknown }>['entry'];

/** After so many lines other requests get their turn. */
const TURN = 500;

interface RawLine {
  readonly line: number;
  /** The entry as it was sent. @throws AppError */
  read(): unknown;
}

/**
 * The lines of a body. @throws AppError `invalid_request`: `too_many_lines`; of CSV, which is read as a whole before any
 * line counts: `not_utf8`, and of its first line `csv_syntax`, `unknown_column`.
 */
export async function readLines(
  bytes: Buffer,
  { csv, readEntry }: { readonly csv: boolean; readonly readEntry: ReadEntry },
): Promise<ImportLine[]> {
  const raw = csv ? csvLines(bytes) : jsonLines(bytes);
  const lines: ImportLine[] = [];
  for (const { line, read } of raw) {
    lines.push(readLine(line, () => readEntry(read())));
    if (lines.length % TURN === 0) await othersAreServed();
  }
  return lines;
}

function readLine(line: number, read: () => ReturnType<ReadEntry>): ImportLine {
  try {
    return { line, entry: read() };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const detail = error.message.replace(/\bbody\b/, 'line');
    return { line, errors: [{ pointer: error.pointer ?? '', detail }] };
  }
}

const LINE_FEED = 0x0a;

/** NDJSON: one JSON object a line. Empty lines are passed over. */
function jsonLines(bytes: Buffer): RawLine[] {
  const lines: RawLine[] = [];
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed < 0 ? bytes.length : feed;
    const text = bytes.subarray(start, end);
    line += 1;
    if (text.length > 0 && !(text.length === 1 && text[0] === 0x0d)) {
      requireFew(lines.length + 1);
      lines.push({ line, read: () => parseJson(text) });
    }
    start = end + 1;
  }
  return lines;
}

function requireFew(count: number): void {
  if (count <= MAX_LINES) return;
  throw new AppError('invalid_request', `The body has more than ${MAX_LINES} users`, {
    reason: 'too_many_lines',
    hint: 'Nothing was written. Divide the file; importing a part twice changes nothing.',
  });
}

type CellReader = (text: string) => unknown;

const asText: CellReader = (text) => text;
/** What is neither stays text, which the shape of a line refuses. */
const asBoolean: CellReader = (text) => ({ true: true, false: false })[text.toLowerCase()] ?? text;
const asList = (text: string) =>
  text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');
/** `Team A:EDITOR; Team B:VIEWER`: a role has no colon, a team may. */
const asTeams: CellReader = (text) =>
  asList(text).map((part) => {
    const [, team = part, role] = /^(.*?)\s*:\s*([^:]*)$/.exec(part) ?? [];
    return { team, ...(role !== undefined && { role }) };
  });

/** The columns of CSV, each as the member of the same name. An empty cell says nothing. */
const COLUMNS: Readonly<Record<string, CellReader>> = {
  userName: asText,
  externalId: asText,
  productUserId: asText,
  givenName: asText,
  familyName: asText,
  displayName: asText,
  email: asText,
  avatar: asText,
  active: asBoolean,
  teams: asTeams,
  tenantOwner: asBoolean,
  permissions: asList,
};

export const CSV_COLUMNS = Object.keys(COLUMNS);

/** What Excel calls "CSV" is in the encoding of the machine; read as UTF-8, names would be broken without a word. */
function requireUtf8(bytes: Buffer): void {
  if (isUtf8(bytes)) return;
  let line = 1;
  for (let start = 0; ; line += 1) {
    const feed = bytes.indexOf(LINE_FEED, start);
    if (feed < 0 || !isUtf8(bytes.subarray(start, feed))) break;
    start = feed + 1;
  }
  throw new AppError('invalid_request', `Line ${line} of the body is not UTF-8`, {
    reason: 'not_utf8',
    hint: 'Nothing was written. Save the file as "CSV UTF-8".',
  });
}

/** CSV (RFC 4180), of which a record is a line: no column has a text in which a line could end. */
function csvLines(bytes: Buffer): RawLine[] {
  requireUtf8(bytes);
  const lines: RawLine[] = [];
  let columns: readonly string[] | undefined;
  let line = 0;
  for (const text of linesOf(new TextDecoder().decode(bytes))) {
    line += 1;
    if (text.trim() === '') continue;
    if (columns === undefined) {
      columns = requireColumns(cellsOf(text));
      continue;
    }
    requireFew(lines.length + 1);
    const names = columns;
    lines.push({ line, read: () => entryOf(names, cellsOf(text)) });
  }
  return lines;
}

function* linesOf(text: string): Generator<string> {
  const end = /\r\n|\n|\r/g;
  let start = 0;
  for (let found = end.exec(text); found !== null; found = end.exec(text)) {
    yield text.slice(start, found.index);
    start = end.lastIndex;
  }
  yield text.slice(start);
}

/** In characters: more than any line needs, and a bound on what looking for the end of a quote costs. */
const MAX_LINE = 64 * 1024;

/** A cell in double quotes, in which two of them are one, or without any; and what ends it. */
const CELL = /[ \t]*(?:"([^"]*(?:""[^"]*)*)"[ \t]*|([^", \t][^",]*)?)(,|$)/y;

/** @throws AppError `csv_syntax`. It quotes nothing: people's data stands there. */
function cellsOf(text: string): string[] {
  if (text.length > MAX_LINE) throw csvSyntax(`The line has more than ${MAX_LINE} characters`);
  const cells: string[] = [];
  CELL.lastIndex = 0;
  for (let end: string | undefined = ','; end === ','; ) {
    const cell = CELL.exec(text);
    if (cell === null) {
      throw csvSyntax(`Cell ${cells.length + 1} of the line has a quote that is not closed, or not doubled`);
    }
    const [, quoted, plain = ''] = cell;
    cells.push(quoted?.replaceAll('""', '"') ?? plain.trim());
    end = cell[3];
  }
  return cells;
}

function csvSyntax(detail: string): AppError {
  return new AppError('invalid_request', detail, {
    reason: 'csv_syntax',
    hint: 'Cells with commas or quotes stand in double quotes, in which a quote is written twice (RFC 4180).',
  });
}

function requireColumns(names: readonly string[]): readonly string[] {
  const wrong = names.find((name, at) => !Object.hasOwn(COLUMNS, name) || names.indexOf(name) !== at);
  if (wrong === undefined && names.includes('userName')) return names;
  const detail =
    wrong === undefined
      ? 'The column userName is missing'
      : `The column "${wrong}" is not known, or stands twice`;
  throw new AppError('invalid_request', detail, {
    reason: 'unknown_column',
    hint: `The first line names the columns. Possible: ${CSV_COLUMNS.join(', ')}.`,
  });
}

function entryOf(columns: readonly string[], record: readonly string[]): unknown {
  if (record.length !== columns.length) {
    throw new AppError('invalid_request', `has ${record.length} cells, and the first line ${columns.length}`);
  }
  const cells = columns
    .map((name, at) => [name, record[at] ?? ''] as const)
    .filter(([, text]) => text !== '');
  return Object.fromEntries(cells.map(([name, text]) => [name, COLUMNS[name]?.(text)]));
}
