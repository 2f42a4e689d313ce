import { badRequest, type ScimType } from './error.ts';
import type { Reading } from './types.ts';

/** What filters and paths are read more generously in than RFC 7644 asks, by name. */
const TOLERANCES = {
  filterBareWord: {
    source: 'authentik and the Entra ID Postman collection leave the quotation marks out',
    hint: 'write strings in double quotes',
  },
  filterBooleanText: {
    source: 'Entra ID writes roles[primary eq "True"]',
    hint: 'write true or false in lower case without quotes',
  },
  filterBackslash: {
    source: 'clients that put Windows account names (DOMAIN\\user) into a filter as they are',
    hint: 'write a backslash in a string as \\\\',
  },
  urnDot: {
    source: 'Entra ID writes urn:…:enterprise:2.0:User.manager',
    hint: "write a colon after the schema's URN",
  },
} as const;

/**
 * Counts a tolerance that the message needed; under strict reading the message is refused with `scimType`
 * instead. `where` names the place for people.
 */
export function tolerate(
  reading: Reading,
  name: keyof typeof TOLERANCES,
  scimType: ScimType,
  where: string,
): void {
  if (reading.strict) {
    throw badRequest(
      scimType,
      `Strict mode does not tolerate "${name}" (${where}): ${TOLERANCES[name].hint}`,
    );
  }
  reading.tolerances.add(name);
}
