import { badRequest, quotable, type ScimType } from './error.ts';
import { isObject } from './json.ts';
import type { Attribute, JsonObject, JsonValue, Reading } from './types.ts';

interface Tolerance {
  /** Which client needs it, and where that is documented. */
  readonly source: string;
  /** What a client that follows the RFC sends instead. */
  readonly hint: string;
  readonly scimType: ScimType;
}

/** Everything that is read more generously than RFC 7643 and RFC 7644 ask, by name. */
export const TOLERANCES = {
  schemasMissing: {
    source: 'old releases of authentik (goauthentik, providers/scim/clients)',
    hint: 'name the message or resource schema in "schemas"',
    scimType: 'invalidSyntax',
  },
  unknownSchema: {
    source:
      'Entra ID (the ADSCIM group URN, a misspelt enterprise URN), use-scim-to-provision-users-and-groups',
    hint: 'list only schemas of this resource or message, each once',
    scimType: 'invalidSyntax',
  },
  unknownAttribute: {
    source: 'Okta and the Entra ID Postman collection send attributes that no schema lists',
    hint: 'send only attributes that /Schemas lists',
    scimType: 'invalidSyntax',
  },
  readOnlyAttribute: {
    source: 'Okta sends the id along with the PATCH that renames a group',
    hint: 'leave read-only attributes out',
    scimType: 'mutability',
  },
  password: {
    source: 'Okta sends a password with POST and with its password sync (SCIM 2.0 guide)',
    hint: 'switch password sync off: passwords are not stored here',
    scimType: 'invalidValue',
  },
  booleanText: {
    source: 'Entra ID without aadOptscim062020, Keycloak, OneLogin send "True" and "False"',
    hint: 'send true or false without quotation marks',
    scimType: 'invalidValue',
  },
  emptyText: {
    source: 'Okta (middleName), OneLogin (empty macros), the Entra ID null-update test',
    hint: 'send null, or leave the attribute out',
    scimType: 'invalidValue',
  },
  listWithoutBrackets: {
    source: 'OneLogin templates give emails as one object',
    hint: 'send an array',
    scimType: 'invalidValue',
  },
  listAroundOne: {
    source: 'Entra ID sends manager as an array of one (tutorial, example 5)',
    hint: 'send the value without an array around it',
    scimType: 'invalidValue',
  },
  bareValue: {
    source: 'Entra ID sends manager as a plain id; its Postman collection sends members so',
    hint: 'send an object such as {"value": "…"}',
    scimType: 'invalidValue',
  },
  referenceText: {
    source: 'the Entra ID SCIM Validator sends nonsense as profileUrl',
    hint: 'send an absolute or a relative URI, with what it may not hold percent-encoded',
    scimType: 'invalidValue',
  },
  countryName: {
    source:
      'Entra ID maps the country of its directory, which is any text (attribute mappings of its gallery)',
    hint: 'send the two letters of ISO 3166-1, such as "US"',
    scimType: 'invalidValue',
  },
  operationCase: {
    source: 'Entra ID without aadOptscim062020 sends "Add", "Replace", "Remove"',
    hint: 'write add, remove and replace in lower case',
    scimType: 'invalidSyntax',
  },
  // The RFC allows it; draft-zollner-scim-interop-profile-02, which strict mode follows here, does not.
  pathless: {
    source: 'Okta, Entra ID with aadOptscim062020 and authentik send PATCH operations without a path',
    hint: 'give the attribute in "path", one operation for each attribute',
    scimType: 'invalidSyntax',
  },
  pathAsName: {
    source: 'Entra ID with aadOptscim062020 sends dotted names and value paths as the keys of a value',
    hint: 'give the path in "path"',
    scimType: 'invalidSyntax',
  },
  valuePathCreates: {
    source: 'Entra ID adds every new e-mail address, phone number and address by a value path',
    hint: 'add a value that is not there yet with the path of its attribute, such as emails',
    scimType: 'noTarget',
  },
  removeListed: {
    source: 'Entra ID without aadOptscim062020, authentik and JumpCloud remove members by a list of values',
    hint: 'remove by a value path such as members[value eq "…"]',
    scimType: 'invalidValue',
  },
  removeWithoutPath: {
    source: 'Salesforce style, scimitar pull request 45',
    hint: 'give the path in "path"',
    scimType: 'noTarget',
  },
  filterBareWord: {
    source: 'authentik and the Entra ID Postman collection leave the quotation marks out',
    hint: 'write strings in double quotes',
    scimType: 'invalidFilter',
  },
  filterBooleanText: {
    source: 'Entra ID writes roles[primary eq "True"]',
    hint: 'write true or false in lower case without quotes',
    scimType: 'invalidFilter',
  },
  filterBackslash: {
    source: 'clients that put Windows account names (DOMAIN\\user) into a filter as they are',
    hint: 'write a backslash in a string as \\\\',
    scimType: 'invalidFilter',
  },
  filterAfterBrackets: {
    source: 'Entra ID matches by emails[type eq "work"].value eq "…"',
    hint: 'put all terms into the brackets: emails[type eq "work" and value eq "…"]',
    scimType: 'invalidFilter',
  },
  filterComplex: {
    source: 'Entra ID checks references by manager eq "…"',
    hint: 'name the part that is compared, such as manager.value',
    scimType: 'invalidFilter',
  },
  filterPlus: {
    source: 'Entra ID writes the spaces of a filter as "+"',
    hint: 'write a space in a URL as %20, and a plus as %2B',
    scimType: 'invalidFilter',
  },
  attributesValuePath: {
    source: 'the Entra ID Postman collection asks for attributes=emails[type eq "work"]',
    hint: 'name attributes and sub-attributes only, such as emails.value',
    scimType: 'invalidValue',
  },
  parameterCase: {
    source: 'the Entra ID Postman collection writes startindex',
    hint: 'write the names of query parameters as RFC 7644 does, such as startIndex',
    scimType: 'invalidSyntax',
  },
  endpointSpelling: {
    source: 'Entra ID asks for /users, Keycloak for //Users, the Entra ID Postman collection for /Users/',
    hint: 'write endpoints as /ResourceTypes announces them, without doubled or trailing slashes',
    scimType: 'invalidSyntax',
  },
  urnDot: {
    source: 'Entra ID writes urn:…:enterprise:2.0:User.manager',
    hint: "write a colon after the schema's URN",
    scimType: 'invalidPath',
  },
  bulkIdMissing: {
    source:
      'RFC 7644 section 3.7 requires it of a POST, then says that it MAY be sent; generated clients leave it out',
    hint: 'give each POST operation a bulkId of its own',
    scimType: 'invalidSyntax',
  },
} as const satisfies Record<string, Tolerance>;

export type ToleranceName = keyof typeof TOLERANCES;

/** Counts a tolerance that the message needed; under strict reading it refuses the message instead. */
export function note(reading: Reading, name: ToleranceName, where?: string): void {
  if (reading.strict) {
    const { hint, scimType } = TOLERANCES[name];
    const place = where === undefined ? '' : ` (${quotable(where)})`;
    const detail = `Strict mode does not tolerate "${name}"${place}: ${hint}`;
    throw badRequest(scimType, detail, { hint, tolerance: name });
  }
  reading.tolerances.add(name);
}

/**
 * A boolean, also as the text "True", "False", "true" or "false" (Entra ID, Keycloak, OneLogin). Anything else is
 * invalidValue: "False" is truthy in JavaScript, and a leaver who stays active is the worst outcome.
 */
export function readBoolean(value: unknown, where: string, reading: Reading): boolean {
  if (typeof value === 'boolean') return value;
  const folded = typeof value === 'string' ? value.toLowerCase() : undefined;
  if (folded !== 'true' && folded !== 'false') {
    throw badRequest('invalidValue', `${where} must be true or false`);
  }
  note(reading, 'booleanText', where);
  return folded === 'true';
}

const URI_REFERENCE = /^(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[\dA-Fa-f]{2})*$/;

/** A reference: a URI (RFC 7643 section 2.3.7), also as any other text (Entra ID). */
export function readReference(text: string, where: string, reading: Reading): string {
  if (!URI_REFERENCE.test(text)) note(reading, 'referenceText', where);
  return text;
}

/** A country: two letters (RFC 7643 section 4.1.2), also as any other text (Entra ID). */
export function readCountry(text: string, where: string, reading: Reading): string {
  if (!/^[A-Za-z]{2}$/.test(text)) note(reading, 'countryName', where);
  return text;
}

/**
 * Whether a value unassigns (RFC 7643 section 2.5: null, and [] where there may be several values), also as ""
 * (Okta, OneLogin, Entra ID).
 */
export function isNoValue(value: unknown, where: string, reading: Reading, multiValued = false): boolean {
  if (value === null) return true;
  if (Array.isArray(value) && value.length === 0) {
    if (!multiValued) note(reading, 'listAroundOne', where);
    return true;
  }
  if (value !== '') return false;
  note(reading, 'emptyText', where);
  return true;
}

/** The values of a multi-valued attribute, also as one value without an array (OneLogin). */
export function readList(value: unknown, where: string, reading: Reading): unknown[] {
  if (Array.isArray(value)) return value;
  note(reading, 'listWithoutBrackets', where);
  return [value];
}

/** A single value, also as an array of one (Entra ID: manager); a longer array is left for the type check to refuse. */
export function unwrapOne(value: unknown, where: string, reading: Reading): unknown {
  if (!Array.isArray(value) || value.length !== 1) return value;
  note(reading, 'listAroundOne', where);
  return value[0];
}

/** A complex value, also as the bare text of its `value` (Entra ID: manager and members). */
export function readComplexForm(
  value: unknown,
  attribute: Attribute,
  where: string,
  reading: Reading,
): JsonObject {
  if (isObject(value)) return value;
  if (typeof value !== 'string' || !attribute.subAttributes?.some(({ name }) => name === 'value')) {
    throw badRequest('invalidValue', `${where} must be an object`);
  }
  note(reading, 'bareValue', where);
  return { value };
}

/** The `op` of a PATCH operation in any case (Entra ID); undefined when it is none. */
export function readOperationName(
  value: JsonValue | undefined,
  reading: Reading,
): 'add' | 'remove' | 'replace' | undefined {
  const name = typeof value === 'string' ? value.toLowerCase() : undefined;
  if (name !== 'add' && name !== 'remove' && name !== 'replace') return undefined;
  if (name !== value) note(reading, 'operationCase', String(value));
  return name;
}
