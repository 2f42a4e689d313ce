import { badRequest } from './error.ts';
import { isObject } from './json.ts';
import type { JsonValue } from './types.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

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
  #unknown: string | undefined;

  constructor(ids: ReadonlyMap<string, string>) {
    this.#ids = ids;
  }

  /** The value with ids in the place of references; `paths`: it is a PATCH, whose paths may hold some. */
  resolve(value: JsonValue, { paths } = { paths: false }): JsonValue {
    if (typeof value === 'string') return this.#resolveText(value);
    if (Array.isArray(value)) return value.map((element) => this.resolve(element, { paths }));
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(([name, member]) => [
      name,
      paths && typeof member === 'string' && name.toLowerCase() === 'path'
        ? this.#resolvePath(member)
        : this.resolve(member, { paths }),
    ]);
    return Object.fromEntries(entries);
  }

  /** Throws invalidValue for the first reference to what this request does not create. */
  requireDeclared(): void {
    if (this.#unknown === undefined) return;
    throw badRequest(
      'invalidValue',
      `"bulkId:${this.#unknown.slice(0, 100)}" names no POST operation of this request`,
    );
  }

  #resolveText(text: string): string {
    const [, uri = '', bulkId] =
      (text.includes('bulkId:') && /^((?:.*\/(?:Users|Groups)\/)?)bulkId:(.+)$/s.exec(text)) || [];
    if (bulkId !== undefined) return `${uri}${this.#idOf(bulkId)}`;
    if (text.length === 36) this.#collect(text);
    return text;
  }

  #resolvePath(path: string): string {
    const resolved = path.replace(/"bulkId:([^"]+)"/g, (_, bulkId: string) => `"${this.#idOf(bulkId)}"`);
    this.#collect(resolved);
    return resolved;
  }

  #idOf(bulkId: string): string {
    const id = this.#ids.get(bulkId);
    if (id === undefined) {
      this.#unknown ??= bulkId;
      return `bulkId:${bulkId}`;
    }
    this.needs.set(id, bulkId);
    this.names.add(id);
    return id;
  }

  #collect(text: string): void {
    for (const [id] of text.matchAll(UUID)) this.names.add(id.toLowerCase());
  }
}
