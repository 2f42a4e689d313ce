import { AssertionError } from '../types.ts';

/**
 * A strict reader of the little XML that SAML needs: elements, attributes, text. It has no DOCTYPE, no entities but
 * the five of XML, no comments, no processing instructions and no CDATA, because each of these has let two parsers
 * see two documents. What it reads, every parser reads alike; what it does not, no parser gets to see.
 */
export interface XmlElement {
  /** The namespace's URI; empty for none. */
  readonly namespace: string;
  /** The name without its prefix. */
  readonly name: string;
  /** Values by name, without namespace declarations; a name with a prefix is written `{namespace}name`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The element's own character data, without that of its children. */
  readonly text: string;
}

/** As deep as elements may nest; the deepest of a real response, encrypted, is about 12. */
const MAX_DEPTH = 32;
const MAX_ELEMENTS = 5_000;
/** Of one element, namespace declarations included. */
const MAX_ATTRIBUTES = 100;

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

const NAME = '[A-Za-z_][A-Za-z0-9._-]*(?::[A-Za-z_][A-Za-z0-9._-]*)?';
const SPACE = '[ \\t\\n]';
/** Java's and Okta's first line. Not a processing instruction (XML section 2.8), and no other encoding is read. */
const DECLARATION =
  /^<\?xml +version=(["'])1\.0\1(?: +encoding=(["'])utf-8\2)?(?: +standalone=(["'])(?:yes|no)\3)? *\?>/i;
const START_TAG = new RegExp(`<(${NAME})`, 'y');
const ATTRIBUTE = new RegExp(`${SPACE}+(${NAME})${SPACE}*=${SPACE}*(?:"([^"<]*)"|'([^'<]*)')`, 'y');
const TAG_END = new RegExp(`${SPACE}*(/?)>`, 'y');
const END_TAG = new RegExp(`</(${NAME})${SPACE}*>`, 'y');

const ILLEGAL_CHARACTER = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
/** Line ends in XML 1.1 only (section 2.11): the parser behind the signatures, xmldom, makes line feeds of them. */
const LINE_END_OF_XML_1_1 = /[\u0085\u2028]/;
const REFERENCE = /&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));|&/g;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:./;

/** An element whose end is still to come. */
interface OpenElement {
  readonly tag: string;
  readonly namespace: string;
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  /** Prefixes declared here; those of the ancestors are looked up there. */
  readonly declared: ReadonlyMap<string, string>;
  text: string;
}

const malformed = (what: string) =>
  new AssertionError('malformed', `The document is refused: ${what}. Post what the identity provider sent.`);
const tooLarge = (what: string) => new AssertionError('too_large', `The document has ${what}.`);

/**
 * Reads a whole document. Throws an AssertionError, `malformed` for whatever is not in the subset, `too_large` beyond
 * the limits on depth, elements and attributes.
 */
export function readXml(document: string): XmlElement {
  const xml = document.replace(DECLARATION, '').replace(/\r\n?/g, '\n');
  refuseMarkup(xml);
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  let elements = 0;
  let at = 0;
  while (at < xml.length) {
    const tagAt = xml.indexOf('<', at);
    const text = xml.slice(at, tagAt < 0 ? xml.length : tagAt);
    addText(open.at(-1), text);
    if (tagAt < 0) break;
    if (xml[tagAt + 1] === '/') {
      at = tagAt + readEnd(xml, tagAt, open.at(-1)).length;
      root = close(open) ?? root;
      continue;
    }
    if (root !== undefined) throw malformed('it goes on behind its root element');
    elements += 1;
    if (elements > MAX_ELEMENTS) throw tooLarge(`more than ${MAX_ELEMENTS} elements`);
    const start = readStart(xml, tagAt, open);
    open.push(start.element);
    if (open.length > MAX_DEPTH) throw tooLarge(`elements more than ${MAX_DEPTH} deep`);
    if (start.empty) root = close(open) ?? root;
    at = start.end;
  }
  if (root === undefined || open.length > 0) throw malformed('it is no XML document, or only a part of one');
  return root;
}

function refuseMarkup(xml: string): void {
  if (ILLEGAL_CHARACTER.test(xml)) throw malformed('it holds a character that XML does not have');
  if (LINE_END_OF_XML_1_1.test(xml))
    throw malformed('it holds U+0085 or U+2028, which some parsers read as the end of a line');
  const found = /<(?:!(DOCTYPE|--|\[CDATA\[)|[!?])/i.exec(xml);
  if (!found) return;
  const names: Record<string, string> = {
    DOCTYPE: 'a DOCTYPE',
    '--': 'a comment',
    '[CDATA[': 'a CDATA section',
  };
  throw malformed(`it holds ${names[found[1]?.toUpperCase() ?? ''] ?? 'a processing instruction'}`);
}

function addText(element: OpenElement | undefined, raw: string): void {
  if (element === undefined) {
    if (/[^ \t\n]/.test(raw)) throw malformed('it holds text outside of its root element');
    return;
  }
  if (raw.includes(']]>')) throw malformed('its text holds "]]>"');
  element.text += decode(raw);
}

/** Puts the innermost open element into the one around it; answers it when there is none around it. */
function close(open: OpenElement[]): XmlElement | undefined {
  const closed = open.pop();
  const parent = open.at(-1);
  if (closed === undefined) return undefined;
  const { namespace, name, attributes, children, text } = closed;
  const element = { namespace, name, attributes, children, text };
  if (parent === undefined) return element;
  parent.children.push(element);
  return undefined;
}

function readEnd(xml: string, at: number, open: OpenElement | undefined): string {
  const [tag, name] = matchAt(END_TAG, xml, at) ?? [];
  if (tag === undefined || name !== open?.tag) throw malformed('an end tag does not fit its start tag');
  return tag;
}

function readStart(xml: string, at: number, open: readonly OpenElement[]) {
  const [start, tag] = matchAt(START_TAG, xml, at) ?? [];
  if (start === undefined || tag === undefined)
    throw malformed('a tag has no name, or one that is not ASCII');
  let end = at + start.length;
  const written = new Map<string, string>();
  for (let found = matchAt(ATTRIBUTE, xml, end); found; found = matchAt(ATTRIBUTE, xml, end)) {
    const [whole, name = '', double, single] = found;
    if (written.has(name)) throw malformed('an element has the same attribute twice');
    written.set(name, decode((double ?? single ?? '').replace(/[\t\n]/g, ' ')));
    if (written.size > MAX_ATTRIBUTES)
      throw tooLarge(`more than ${MAX_ATTRIBUTES} attributes on one element`);
    end += whole.length;
  }
  const tagEnd = matchAt(TAG_END, xml, end);
  if (!tagEnd) throw malformed('a start tag does not end, or has an attribute that is not well formed');
  return {
    element: resolve(tag, written, open),
    empty: tagEnd[1] === '/',
    end: end + tagEnd[0].length,
  };
}

/** Namespaces in XML 1.0: what the prefixes of an element mean, by its own declarations and its ancestors'. */
function resolve(
  tag: string,
  written: ReadonlyMap<string, string>,
  open: readonly OpenElement[],
): OpenElement {
  const declared = new Map<string, string>();
  for (const [name, value] of written) {
    if (name === 'xmlns') declared.set('', checkedNamespace(value, ''));
    if (name.startsWith('xmlns:')) declared.set(name.slice(6), checkedNamespace(value, name.slice(6)));
  }
  const namespaceOf = (prefix: string) => {
    if (prefix === 'xml') return XML_NAMESPACE;
    if (declared.has(prefix)) return declared.get(prefix) ?? '';
    const scope = open.findLast((ancestor) => ancestor.declared.has(prefix));
    if (scope === undefined && prefix !== '') throw malformed('a prefix of a name is not declared');
    return scope?.declared.get(prefix) ?? '';
  };
  const attributes = new Map<string, string>();
  for (const [name, value] of written) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
    const [prefix, local] = split(name);
    const key = prefix === '' ? local : `{${namespaceOf(prefix)}}${local}`;
    if (attributes.has(key)) throw malformed('an element has the same attribute twice');
    attributes.set(key, value);
  }
  const [prefix, name] = split(tag);
  return { tag, namespace: namespaceOf(prefix), name, attributes, children: [], declared, text: '' };
}

/** Canonicalization refuses or drops relative namespaces (Canonical XML section 1.1), so that nothing gets signed. */
function checkedNamespace(value: string, prefix: string): string {
  if (prefix === 'xml' || prefix === 'xmlns') throw malformed(`it declares the prefix ${prefix}`);
  if (value === '' && prefix === '') return value;
  if (!ABSOLUTE_URI.test(value)) throw malformed('a namespace is not an absolute URI');
  return value;
}

function split(name: string): [prefix: string, local: string] {
  const colon = name.indexOf(':');
  return colon < 0 ? ['', name] : [name.slice(0, colon), name.slice(colon + 1)];
}

function decode(raw: string): string {
  return raw.replace(REFERENCE, (whole, named?: string, decimal?: string, hexadecimal?: string) => {
    if (whole === '&') throw malformed('it refers to an entity that XML itself does not have');
    if (named !== undefined) return NAMED[named] ?? '';
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
    const character = code <= 0x10ffff ? String.fromCodePoint(code) : '\0';
    if (ILLEGAL_CHARACTER.test(character)) throw malformed('it refers to a character that XML does not have');
    return character;
  });
}

function matchAt(pattern: RegExp, xml: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(xml);
}
