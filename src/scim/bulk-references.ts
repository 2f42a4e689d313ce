import { badRequest, ScimError } from './error.ts';
import { isObject } from './json.ts';
import type { JsonObject, JsonValue } from './types.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;
const UUIDS = new RegExp(UUID, 'gi');

/** References by bulkId in one request: each is looked up, and waited for. */
const MAX_BULK_REFERENCES = 20_000;

/** How many references a request may still hold. */
export class ReferenceBudget {
  #left = MAX_BULK_REFERENCES;

  /** Throws 413 once there were too many: so does every operation from there on that holds one. */
  spend(): void {
    this.#left -= 1;
    if (this.#left >= 0) return;
    const detail = `The request refers to its own resources by bulkId more than ${MAX_BULK_REFERENCES} times: send several requests`;
    throw new ScimError(413, undefined, detail);
  }
}

/**
 * The references of one operation (RFC 7644 section 3.7.2): `bulkId:qwerty` as a whole text, as the end of a URI
 * and, in the path of a PATCH, between quotation marks.
 */
export class References {
  /** The resources of this request that are referred to: bulkIds by id. */
  readonly needs = new Map<string, string>();
  /** Every id that is named, of this request's resources and of others. */
  readonly names = new Set<string>();
  readonly #ids: ReadonlyMap<string, string>;
  readonly #budget: ReferenceBudget;
  #unknown: string | undefined;

  constructor(ids: ReadonlyMap<string, string>, budget: ReferenceBudget) {
    this.#ids = ids;
    this.#budget = budget;
  }

  /**
   * The value with ids in the place of references; `paths`: it is a PATCH, whose paths may hold some. Only what
   * holds a reference is copied: an operation may be 4 MiB.
   */
  resolve(value: JsonValue, { paths } = { paths: false }): JsonValue {
    if (typeof value === 'string') return this.#resolveText(value);
    if (Array.isArray(value)) return this.#resolveElements(value, paths);
    return isObject(value) ? this.#resolveMembers(value, paths) : value;
  }

  /** Throws invalidValue for the first reference to what this request does not create. */
  requireDeclared(): void {
    if (this.#unknown === undefined) return;
    throw badRequest(
      'invalidValue',
      `"bulkId:${this.#unknown.slice(0, 100)}" names no POST operation of this request`,
    );
  }

  #resolveElements(elements: JsonValue[], paths: boolean): JsonValue[] {
    let copy: JsonValue[] | undefined;
    for (const [index, element] of elements.entries()) {
      const resolved = this.resolve(element, { paths });
      if (resolved === element) continue;
      copy ??= [...elements];
      copy[index] = resolved;
    }
    return copy ?? elements;
  }

  #resolveMembers(object: JsonObject, paths: boolean): JsonObject {
    let copy: JsonObject | undefined;
    for (const [name, member] of Object.entries(object)) {
      const isPath = paths && typeof member === 'string' && name.toLowerCase() === 'path';
      const resolved = isPath ? this.#resolvePath(member) : this.resolve(member, { paths });
      if (resolved === member) continue;
      copy ??= { ...object };
      copy[name] = resolved;
    }
    return copy ?? object;
  }

  #resolveText(text: string): string {
    const [, uri = '', bulkId] =
      (text.includes('bulkId:') && /^((?:.*\/(?:Users|Groups)\/)?)bulkId:(.+)$/s.exec(text)) || [];
    if (bulkId !== undefined) return `${uri}${this.#idOf(bulkId)}`;
    if (text.length === 36 && UUID.test(text)) this.names.add(text.toLowerCase());
    return text;
  }

  #resolvePath(path: string): string {
    const resolved = path.replace(/"bulkId:([^"]+)"/g, (_, bulkId: string) => `"${this.#idOf(bulkId)}"`);
    for (const [id] of resolved.matchAll(UUIDS)) this.names.add(id.toLowerCase());
    return resolved;
  }

  #idOf(bulkId: string): string {
    this.#budget.spend();
    const id = this.#ids.get(bulkId);
    if (id === undefined) {
      this.#unknown ??= bulkId;
      return `bulkId:${bulkId}`;
    }
    this.needs.set(id, bulkId);
    this.names.add(id);
    return id;
  }
}
