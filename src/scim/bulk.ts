import { ReferenceBudget, References } from './bulk-references.ts';
import { MAX_BULK_OPERATIONS } from './discovery.ts';
import { badRequest, ScimError } from './error.ts';
import { isObject, uniqueEntries } from './json.ts';
import { BULK_REQUEST, readMessage } from './messages.ts';
import { note } from './quirks.ts';
import type { JsonValue, Reading } from './types.ts';

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type BulkMethod = (typeof METHODS)[number];

/** The resources that a /Bulk can write, by the paths of its operations. */
const ENDPOINTS = { users: 'User', groups: 'Group' } as const;
type BulkType = (typeof ENDPOINTS)[keyof typeof ENDPOINTS];

/** What the result of an operation repeats, as far as it could be read. */
interface Repeated {
  /** Where the operation stands in the request. */
  readonly index: number;
  readonly method?: BulkMethod;
  readonly bulkId?: string;
  /** The resource; of a POST the one that it creates, whose id is given out beforehand. */
  readonly resource?: { readonly type: BulkType; readonly id: string };
}

/** An operation whose form does not hold: it is refused by itself. */
export interface RefusedOperation extends Repeated {
  readonly refusal: ScimError;
}

/** An operation, with every `bulkId:` reference replaced by the id of the resource that it stands for. */
export interface BulkOperation extends Required<Omit<Repeated, 'bulkId'>> {
  readonly bulkId?: string;
  /** What If-Match would say. */
  readonly version?: string;
  /** The body of the single request; undefined for a DELETE. */
  readonly content: JsonValue | undefined;
  /** The size of that body as JSON. */
  readonly bytes: number;
  /** The resources that are to be created before it: their bulkIds by their ids. */
  readonly needs: ReadonlyMap<string, string>;
  /** The ids that its body names, of this request's resources and of others. */
  readonly names: ReadonlySet<string>;
}

export interface BulkRequest {
  /** After so many errors nothing more is done. */
  readonly failOnErrors: number;
  readonly operations: readonly (BulkOperation | RefusedOperation)[];
}

/** What a /Bulk is read with besides its body. */
export interface BulkReading {
  readonly reading: Reading;
  /** Makes the id of a resource that is to be created. */
  mint(): string;
  /** Lets the process serve others. */
  pause(): Promise<void>;
}

/**
 * Reads the body of a `POST /Bulk` (RFC 7644 section 3.7), with a pause before each operation. What is wrong with
 * the message as a whole is thrown: invalidSyntax, or 413 for too many operations. What is wrong with one operation
 * is the refusal of that one.
 */
export async function readBulkRequest(
  body: unknown,
  { reading, mint, pause }: BulkReading,
): Promise<BulkRequest> {
  const members = readMessage(body, BULK_REQUEST, reading);
  const operations = members.get('operations');
  if (!Array.isArray(operations) || operations.length === 0) {
    throw badRequest('invalidSyntax', 'Operations must be an array of one or more operations');
  }
  if (operations.length > MAX_BULK_OPERATIONS) {
    const detail = `The request has ${operations.length} operations, which exceeds maxOperations (${MAX_BULK_OPERATIONS}): send several requests`;
    throw new ScimError(413, undefined, detail);
  }
  const failOnErrors = readFailOnErrors(members.get('failonerrors') ?? null);
  const forms: Form[] = [];
  for (const [index, operation] of operations.entries()) {
    await pause();
    forms.push(readForm(operation, index));
  }
  const scope = { ...declare(forms, mint), budget: new ReferenceBudget(), mint, reading };
  const read: (BulkOperation | RefusedOperation)[] = [];
  for (const form of forms) {
    await pause();
    read.push(readOperation(form, scope));
  }
  return { failOnErrors, operations: read };
}

/** Gives an id to each resource that is created under a bulkId: all by their bulkIds, and those of groups. */
function declare(forms: readonly Form[], mint: () => string): Pick<Scope, 'ids' | 'groups'> {
  const ids = new Map<string, string>();
  const groups = new Set<string>();
  for (const { method, bulkId, members } of forms) {
    if (method !== 'POST' || bulkId === undefined) continue;
    // Two resources under one name: whoever refers to it could get the wrong one.
    if (ids.has(bulkId))
      throw badRequest('invalidSyntax', `Two operations have the bulkId "${bulkId.slice(0, 100)}"`);
    const id = mint();
    ids.set(bulkId, id);
    if (placeOf(members.get('path'))?.type === 'Group') groups.add(id);
  }
  return { ids, groups };
}

function readFailOnErrors(value: JsonValue): number {
  if (value === null) return Number.POSITIVE_INFINITY;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw badRequest('invalidSyntax', 'failOnErrors must be a positive integer');
}

/** An operation as it was sent, and what it may be called by. */
interface Form {
  readonly index: number;
  readonly members: ReadonlyMap<string, JsonValue>;
  readonly method?: BulkMethod;
  readonly bulkId?: string;
  /** Why not even its names could be read. */
  readonly fault?: ScimError;
}

function readForm(operation: JsonValue, index: number): Form {
  try {
    if (!isObject(operation)) throw badRequest('invalidSyntax', 'An operation must be an object');
    const entries = uniqueEntries(operation, 'the operation');
    const members = new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
    const sent = members.get('method');
    // Text is compared without case where no schema says otherwise (RFC 7643 section 2.2).
    const method = METHODS.find((name) => typeof sent === 'string' && name === sent.toUpperCase());
    const bulkId = members.get('bulkid');
    const isNamed = typeof bulkId === 'string' && bulkId !== '';
    return { index, members, ...(method && { method }), ...(isNamed && { bulkId }) };
  } catch (error) {
    return { index, members: new Map(), fault: refusalOf(error) };
  }
}

/** What operations are read with. */
interface Scope {
  /** The ids that this request gives out, by bulkId. */
  readonly ids: ReadonlyMap<string, string>;
  /** Those of groups. */
  readonly groups: ReadonlySet<string>;
  readonly budget: ReferenceBudget;
  readonly mint: () => string;
  readonly reading: Reading;
}

function readOperation(form: Form, scope: Scope): BulkOperation | RefusedOperation {
  const { index, method, bulkId, members, fault } = form;
  let repeated: Repeated = { index, ...(method && { method }), ...(bulkId !== undefined && { bulkId }) };
  try {
    if (fault) throw fault;
    if (!method) throw badRequest('invalidSyntax', 'method must be POST, PUT, PATCH or DELETE');
    requireBulkId(form, scope.reading);
    const references = new References(scope.ids, scope.budget);
    const resource = readPath(form, method, references, scope);
    repeated = { ...repeated, resource };
    const version = members.get('version') ?? null;
    if (version !== null && typeof version !== 'string') {
      throw badRequest('invalidSyntax', 'version must be a string: the ETag of the resource');
    }
    const content = readContent(members, method, references);
    references.requireDeclared();
    if (resource.type === 'Group')
      requireNoGroup(references, method === 'POST' ? undefined : resource.id, scope);
    const { needs, names } = references;
    // Whose own id is given out beforehand can be created with it.
    if (method === 'POST') needs.delete(resource.id);
    return {
      index,
      method,
      ...(bulkId !== undefined && { bulkId }),
      resource,
      ...(version !== null && { version }),
      content,
      bytes: content === undefined ? 0 : Buffer.byteLength(JSON.stringify(content)),
      needs,
      names,
    };
  } catch (error) {
    return { ...repeated, refusal: refusalOf(error) };
  }
}

function requireBulkId({ members, method, bulkId }: Form, reading: Reading): void {
  const sent = members.get('bulkid') ?? null;
  if (sent !== null && bulkId === undefined) {
    throw badRequest('invalidSyntax', 'bulkId must be a string that is not empty');
  }
  if (method === 'POST' && bulkId === undefined) note(reading, 'bulkIdMissing');
}

/** The resource that the path names: an endpoint for a POST, one resource for everything else. */
function readPath(
  { members, bulkId }: Form,
  method: BulkMethod,
  references: References,
  { ids, mint }: Scope,
): { type: BulkType; id: string } {
  const { type, id } = placeOf(members.get('path')) ?? {};
  if (type === undefined || (method === 'POST') !== (id === undefined)) {
    const possible = method === 'POST' ? '/Users or /Groups' : '/Users/{id} or /Groups/{id}';
    throw badRequest('invalidValue', `path must be ${possible} for a ${method}`);
  }
  if (id !== undefined) return { type, id: references.resolve(id) as string };
  return { type, id: (bulkId === undefined ? undefined : ids.get(bulkId)) ?? mint() };
}

/** An endpoint, or a resource below it. */
function placeOf(path: JsonValue | undefined): { type: BulkType; id: string | undefined } | undefined {
  const [, endpoint = '', id] =
    (typeof path === 'string' && /^\/?(users|groups)(?:\/(.+))?$/i.exec(path)) || [];
  const type = ENDPOINTS[endpoint.toLowerCase() as keyof typeof ENDPOINTS];
  return type && { type, id };
}

/**
 * A group that refers to a new group is invalidValue: groups hold users. Found here, because a request full of such
 * references would be ordered and sent to the database before it is refused.
 * @param own what its path names, which is no reference of its body.
 */
function requireNoGroup({ needs }: References, own: string | undefined, { groups }: Scope): void {
  for (const [id, bulkId] of needs) {
    if (id === own || !groups.has(id)) continue;
    throw badRequest(
      'invalidValue',
      `"bulkId:${bulkId.slice(0, 100)}" is a group: nested groups are not supported, add its users`,
    );
  }
}

function readContent(
  members: ReadonlyMap<string, JsonValue>,
  method: BulkMethod,
  references: References,
): JsonValue | undefined {
  if (method === 'DELETE') return undefined;
  const content = members.get('data') ?? null;
  if (content === null) throw badRequest('invalidSyntax', `data is missing: a ${method} needs a body`);
  return references.resolve(content, { paths: method === 'PATCH' });
}

function refusalOf(error: unknown): ScimError {
  if (error instanceof ScimError) return error;
  throw error;
}
