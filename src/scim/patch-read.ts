import { pathName, resolveAttributePath, schemasOf } from './attribute-path.ts';
import { Effort } from './effort.ts';
import { badRequest, inOperation, quotable } from './error.ts';
import { isObject, uniqueEntries } from './json.ts';
import { PATCH_OP, readMessage } from './messages.ts';
import { parsePatchPath } from './path.ts';
import { isNoValue, note, readComplexForm, readOperationName, unwrapOne } from './quirks.ts';
import type {
  AttributePath,
  JsonValue,
  PatchOperation,
  PatchTarget,
  Reading,
  ResourceType,
} from './types.ts';
import { isWritable, readAttributeValue, writableEntries } from './value.ts';

/** More operations in one request are refused; one operation may carry any number of values. */
const MAX_OPERATIONS = 1_000;

type Op = PatchOperation['op'];

/** What a message is read with. */
interface Context {
  readonly type: ResourceType;
  readonly reading: Reading;
  readonly effort: Effort;
}

/**
 * Reads a PATCH request (RFC 7644 section 3.5.2) into operations that each have a target and a checked value:
 * values without a path, complex values and whole extensions are taken apart, and whatever unassigns is a
 * `remove`. Unknown and read-only attributes are left out where a key names them, and refused (invalidPath,
 * mutability) where a path does. Throws ScimError; its detail begins with the position of the operation.
 */
export function readPatch(body: unknown, type: ResourceType, reading: Reading): PatchOperation[] {
  const operations = readMessage(body, PATCH_OP, reading).get('operations');
  if (!Array.isArray(operations) || operations.length === 0) {
    throw badRequest('invalidSyntax', 'Operations must be an array of one or more operations');
  }
  if (operations.length > MAX_OPERATIONS) {
    throw badRequest(
      'invalidValue',
      `Operations has more than ${MAX_OPERATIONS} entries: send several requests`,
    );
  }
  const context: Context = { type, reading, effort: new Effort() };
  return operations.flatMap((operation, index) =>
    inOperation(index, () => readOperation(operation, context)).map((read) => ({ ...read, index })),
  );
}

/** An operation that knows its place only in the list. */
type Read = Omit<PatchOperation, 'index'>;

function readOperation(operation: JsonValue, context: Context): Read[] {
  if (!isObject(operation)) throw badRequest('invalidSyntax', 'an operation must be an object');
  const members = new Map(
    uniqueEntries(operation, 'the operation').map(([name, value]) => [name.toLowerCase(), value]),
  );
  const op = readOperationName(members.get('op'), context.reading);
  const path = members.get('path') ?? '';
  const value = members.get('value');
  if (op === undefined) throw badRequest('invalidSyntax', 'op must be add, remove or replace');
  if (typeof path !== 'string') throw badRequest('invalidPath', 'path must be a string');
  if (value === undefined && op !== 'remove') {
    throw badRequest('invalidValue', `value is missing: ${op} needs one`);
  }
  for (const name of members.keys()) {
    if (!OPERATION.has(name)) note(context.reading, 'unknownAttribute', name);
  }
  if (path !== '') return readPath(op, path, value, context);
  if (op === 'remove') return readRemoveWithoutPath(value, context);
  note(context.reading, 'pathless');
  return readMembers(op, value, '', context);
}

/** What an operation may hold, in lower case (RFC 7644 section 3.5.2). */
const OPERATION: ReadonlySet<string> = new Set(['op', 'path', 'value']);

/** An operation with a path: what it may not write is refused, except for the password, which is dropped. */
function readPath(op: Op, path: string, value: JsonValue | undefined, context: Context): Read[] {
  const target = parsePath(path, context);
  if (isSchemas(target) && op !== 'remove') return [];
  const [readOnly] = definitions(target).filter(({ mutability }) => mutability === 'readOnly');
  if (readOnly !== undefined) {
    throw badRequest('mutability', `${quotable(path)} is read-only: only the service sets it`);
  }
  return isDropped(target, value, path, context.reading) ? [] : readTarget(op, target, value, context);
}

/** The keys of a value as paths: no path, or the URN of a schema, which stands before the keys as `prefix`. */
function readMembers(op: Op, value: JsonValue | undefined, prefix: string, context: Context): Read[] {
  if (!isObject(value)) {
    throw badRequest(
      'invalidValue',
      `value must be an object of attributes${prefix === '' ? ' when there is no path' : ''}`,
    );
  }
  return uniqueEntries(value, 'value').flatMap(([name, member]) => {
    const target = memberTarget(`${prefix}${name}`, context);
    if (target === undefined) note(context.reading, 'unknownAttribute', name);
    if (target === undefined || isSchemas(target) || isDropped(target, member, name, context.reading)) {
      return [];
    }
    return readTarget(op, target, member, context);
  });
}

/** The target that a key of a value names, also as a dotted path or value path (Entra ID); undefined: unknown. */
function memberTarget(name: string, context: Context): PatchTarget | undefined {
  const { type, reading } = context;
  const isUrn = schemasOf(type).some(({ id }) => id.toLowerCase() === name.toLowerCase());
  const [attributeName = ''] = name.split('[', 1);
  if (!isUrn && resolveAttributePath(type, attributeName) === undefined) return undefined;
  const target = parsePath(name, context);
  const isPath =
    target.kind === 'element' || (target.kind === 'attribute' && target.path.subAttribute !== undefined);
  if (isPath) note(reading, 'pathAsName', name);
  return target;
}

/**
 * A path, paid for by its length, four times what comparing costs: those that stand as names in a value are not
 * among the counted operations.
 */
function parsePath(path: string, { type, reading, effort }: Context): PatchTarget {
  effort.spend(4 * path.length);
  return parsePatchPath(type, path, reading);
}

/** `schemas` follows from the attributes that have values: changing it has no effect of its own. */
function isSchemas(target: PatchTarget): boolean {
  return (
    target.kind === 'attribute' &&
    target.path.attribute.name === 'schemas' &&
    target.path.extension === undefined
  );
}

/** Whether the target is read-only or the password, which is noted. */
function isDropped(
  target: PatchTarget,
  value: JsonValue | undefined,
  name: string,
  reading: Reading,
): boolean {
  return definitions(target).some((attribute) => !isWritable(attribute, value, name, reading));
}

/** The attribute that a target points at, and the sub-attribute. */
function definitions(target: PatchTarget) {
  if (target.kind === 'resource' || target.kind === 'extension') return [];
  const subAttribute = target.kind === 'element' ? target.subAttribute : target.path.subAttribute;
  return subAttribute === undefined ? [target.path.attribute] : [target.path.attribute, subAttribute];
}

/** `remove` of `{"members": […]}` without a path (Salesforce). Anything else without a path is noTarget. */
function readRemoveWithoutPath(value: JsonValue | undefined, { type, reading }: Context): Read[] {
  const entries = isObject(value) ? Object.entries(value) : [];
  const lists = entries.flatMap(([name, listed]) => {
    const path = resolveAttributePath(type, name);
    const isList = path?.attribute.multiValued && path.subAttribute === undefined && listed !== null;
    return isList ? [{ name, listed, target: { kind: 'attribute', path } as const }] : [];
  });
  if (entries.length === 0 || lists.length < entries.length) {
    throw badRequest('noTarget', 'remove needs a path that says what to remove');
  }
  note(reading, 'removeWithoutPath');
  const writable = lists.filter(({ target, listed, name }) => !isDropped(target, listed, name, reading));
  return writable.flatMap(({ target, listed }) => readRemove(target, listed, reading));
}

function readTarget(op: Op, target: PatchTarget, value: JsonValue | undefined, context: Context): Read[] {
  const { reading } = context;
  if (op === 'remove') return readRemove(target, value, reading);
  if (target.kind === 'resource') {
    // The URN of the core schema is no attribute: as a path it says as much as none.
    note(reading, 'pathless', context.type.schema.id);
    return readMembers(op, value, `${context.type.schema.id}:`, context);
  }
  if (target.kind === 'extension') {
    if (isNoValue(value, target.extension.id, reading)) return [{ op: 'remove', target }];
    return readMembers(op, value, `${target.extension.id}:`, context);
  }
  if (target.kind === 'attribute') return readAttribute(op, target.path, value, context);
  const { attribute } = target.path;
  const element = target.subAttribute ?? { ...attribute, multiValued: false };
  const suffix = target.subAttribute === undefined ? '' : `.${target.subAttribute.name}`;
  const read = readAttributeValue(value, element, `${attribute.name}[…]${suffix}`, reading);
  return [read === undefined ? { op: 'remove', target } : { op, target, value: read, reading }];
}

function readAttribute(op: Op, path: AttributePath, value: JsonValue | undefined, context: Context): Read[] {
  const target = { kind: 'attribute', path } as const;
  const attribute = path.subAttribute ?? path.attribute;
  const where = pathName(path);
  if (attribute.multiValued) {
    const values = Array.isArray(value) ? value : [value];
    const read = readAttributeValue(values, attribute, where, context.reading);
    if (read !== undefined) return [{ op, target, value: read }];
    return op === 'add' ? [] : [{ op: 'remove', target }];
  }
  if (attribute.type === 'complex') return readComplex(op, path, value, context);
  const read = readAttributeValue(value, attribute, where, context.reading);
  return [read === undefined ? { op: 'remove', target } : { op, target, value: read }];
}

/**
 * A single complex value as one operation per sub-attribute: those that it does not name stay (RFC 7644 section
 * 3.5.2.3). An empty `value` removes the whole: {"value": ""} is how Entra ID clears a manager.
 */
function readComplex(op: Op, path: AttributePath, value: JsonValue | undefined, context: Context): Read[] {
  const { reading } = context;
  const where = pathName(path);
  const single = unwrapOne(value, where, reading);
  const whole: Read = { op: 'remove', target: { kind: 'attribute', path } };
  if (isNoValue(single, where, reading)) return [whole];
  const subAttributes = path.attribute.subAttributes ?? [];
  const entries = uniqueEntries(readComplexForm(single, path.attribute, where, reading), where);
  const operations = writableEntries(entries, subAttributes, `${where}.`, {
    ...reading,
    ignoresReadOnly: true,
  })
    // A new `value` drops the old `$ref`: it goes before the `$ref` that comes with it.
    .sort(([left], [right]) => subAttributes.indexOf(left) - subAttributes.indexOf(right))
    .flatMap(([subAttribute, part]) => readAttribute(op, { ...path, subAttribute }, part, context));
  const emptied = operations.some(
    (part) => part.op === 'remove' && definitions(part.target).at(-1)?.name === 'value',
  );
  return emptied ? [whole] : operations;
}

/**
 * `remove`. The values that are listed with a multi-valued attribute limit it to them (Entra ID, authentik,
 * JumpCloud), an empty list to none; null is no list (Keycloak). Elsewhere a value has no meaning.
 */
function readRemove(target: PatchTarget, listed: JsonValue | undefined, reading: Reading): Read[] {
  if (target.kind === 'resource') throw badRequest('noTarget', 'remove needs a path to an attribute');
  const isList =
    target.kind === 'attribute' &&
    target.path.attribute.multiValued &&
    target.path.subAttribute === undefined;
  if (!isList || listed === undefined || listed === null) return [{ op: 'remove', target }];
  note(reading, 'removeListed', pathName(target.path));
  const values = Array.isArray(listed) ? listed : [listed];
  const value = readAttributeValue(values, target.path.attribute, pathName(target.path), reading);
  return value === undefined ? [] : [{ op: 'remove', target, value }];
}
