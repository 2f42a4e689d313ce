import { isObject, type JsonObject } from './oidc/json.ts';

/** Claims, of an ID token or of a gateway, as the texts that facts are read from. */

/** The claims that say yes or no. Elsewhere a boolean names nothing: `groups: false` is no group of that name. */
const SAY_YES: readonly string[] = ['email_verified', 'xms_edov'];

/**
 * The claims by name, each with its texts. Left out, as if it had not come, is what says nothing that could be read:
 * null (OpenID Connect Core section 5.3.2; a nil slice of Go), objects, and whatever has nothing but empty texts, which
 * templates write for what they do not have (who has no groups is sent `[]`). A list with a part that is no text is left
 * out whole: half a list of groups would take groups away.
 */
export function attributesOf(claims: JsonObject): ReadonlyMap<string, readonly string[]> {
  const attributes = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(claims)) {
    const texts = textsOf(name, value);
    if (texts !== undefined) attributes.set(name, texts);
  }
  return attributes;
}

function textsOf(name: string, value: unknown): string[] | undefined {
  if (typeof value === 'boolean') return SAY_YES.includes(name) ? [JSON.stringify(value)] : undefined;
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const texts = values.filter((each) => typeof each === 'string' || typeof each === 'number').map(String);
  if (texts.length < values.length) return undefined;
  return texts.length > 0 && texts.every((text) => text === '') ? undefined : texts;
}

/**
 * Whether Entra ID left out groups because they are too many: it points at them (`_claim_names`, OpenID Connect Core
 * section 5.6.2), or in tokens of the implicit flow only says that there are some (`hasgroups`).
 */
export function hasGroupOverage({ _claim_names: elsewhere, hasgroups }: JsonObject): boolean {
  return (
    (isObject(elsewhere) && Object.hasOwn(elsewhere, 'groups')) || hasgroups === true || hasgroups === 'true'
  );
}
