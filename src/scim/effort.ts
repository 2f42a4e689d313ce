import { badRequest } from './error.ts';
import { foldText, foldValue } from './fold.ts';
import type { Attribute, JsonValue } from './types.ts';

/**
 * What one PATCH may cost to read, and again to apply: a character of a path, a value looked at, a term tested, 50
 * characters of a text compared cost 1 each. A thousand operations on 20 values cost about 120,000. All of it takes
 * up to 0.2 seconds, in which nobody else is served.
 */
const MAX_EFFORT = 500_000;

/** The work that one request makes: counted, not timed, so that the same request always ends alike. */
export class Effort {
  readonly #folded = new Map<string, string>();
  #left = MAX_EFFORT;

  /** Throws invalidValue once the request has cost too much. */
  spend(amount: number): void {
    this.#left -= amount;
    if (this.#left >= 0) return;
    throw badRequest(
      'invalidValue',
      `The operations compare too much (operations × values × terms exceed ${MAX_EFFORT}): send several requests`,
    );
  }

  /** `foldValue` on account of this request: operations meet the same texts again and again, and fold them once. */
  fold(attribute: Attribute, value: JsonValue): JsonValue {
    if (typeof value !== 'string') return foldValue(attribute, value);
    this.spend(1 + value.length / 50);
    if (attribute.caseExact || attribute.type === 'dateTime') return foldValue(attribute, value);
    let folded = this.#folded.get(value);
    if (folded === undefined) {
      folded = foldText(value);
      this.#folded.set(value, folded);
    }
    return folded;
  }
}
