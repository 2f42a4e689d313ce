import { readFileSync } from 'node:fs';
import t from 'tap';
import { startApp } from '../support/app.ts';
import { SCIM } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/**
 * `/Schemas` beside the definitions of RFC 7643 section 8.7, which `rfc7643-schemas.csv` holds as printed but for the
 * descriptions. Whatever differs stands here with its reason.
 */

const TABLE = new URL('../../../test/conformance/rfc7643-schemas.csv', import.meta.url);

/** An attribute's characteristics by their names, as text. */
type Characteristics = Readonly<Record<string, string>>;

/** Characteristics that differ: `schema attribute characteristic value`. */
const DIFFERENT: Readonly<Record<string, readonly string[]>> = {
  'identifiers are compared as they are': [
    'User groups.value caseExact true',
    'Group members.value caseExact true',
    'EnterpriseUser manager.value caseExact true',
  ],
  'a User belongs to Groups only (erratum 8471)': ['User groups.$ref referenceTypes Group'],
  'a Group needs its name (section 4.2, erratum 5368)': ['Group displayName required true'],
  'members are Users: nested groups are refused': [
    'Group members.$ref referenceTypes User',
    'Group members.type canonicalValues User',
  ],
  'the names of resource types are identifiers': [
    'ResourceType name caseExact true',
    'ResourceType name uniqueness server',
    'ResourceType endpoint uniqueness server',
  ],
  'a resource type may have several extensions (erratum 7522)': [
    'ResourceType schemaExtensions multiValued true',
  ],
  'a reference may have several targets (erratum 5607)': [
    'Schema attributes.subAttributes.referenceTypes multiValued true',
  ],
  'binary is a type (errata 5606 and 8435)': [
    'Schema attributes.type canonicalValues string boolean decimal integer dateTime reference binary complex',
    'Schema attributes.subAttributes.type canonicalValues string boolean decimal integer dateTime reference binary complex',
  ],
};

/** Attributes that section 8.7 does not have: `schema attribute`. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  'common attributes (section 3.1), listed because clients look for them': ['User', 'Group'].flatMap(
    (schema) =>
      ['id', 'externalId', 'meta', 'resourceType', 'created', 'lastModified', 'location', 'version'].map(
        (name) =>
          ['id', 'externalId', 'meta'].includes(name) ? `${schema} ${name}` : `${schema} meta.${name}`,
      ),
  ),
  'section 2.4 gives them to every multi-valued attribute': [
    'User addresses.primary',
    'Group members.display',
  ],
  'section 5 has them': [
    'ServiceProviderConfig etag',
    'ServiceProviderConfig etag.supported',
    'ServiceProviderConfig authenticationSchemes.type',
    'ServiceProviderConfig authenticationSchemes.primary',
  ],
  'RFC 9865 section 4': [
    'ServiceProviderConfig pagination',
    ...['cursor', 'index', 'defaultPaginationMethod', 'defaultPageSize', 'maxPageSize', 'cursorTimeout'].map(
      (name) => `ServiceProviderConfig pagination.${name}`,
    ),
  ],
};

meets(
  t,
  [52, 55, 273],
  'the schemas are those of RFC 7643 section 8.7, and what differs has a reason',
  async (t) => {
    const app = await startApp(t);
    const { body } = await app.send<{ Resources: readonly Schema[] }>('GET', `${SCIM}/Schemas`);
    const ours = definitions(body.Resources);
    const printed = printedDefinitions();
    const differences: string[] = [];
    const added: string[] = [];
    for (const [name, own] of ours) {
      const theirs = printed.get(name);
      if (theirs === undefined) added.push(name);
      else {
        const differing = Object.keys(theirs).filter((each) => (own[each] ?? '') !== theirs[each]);
        differences.push(...differing.map((each) => `${name} ${each} ${own[each] ?? ''}`));
      }
    }
    const all = (reasons: Readonly<Record<string, readonly string[]>>) =>
      Object.values(reasons).flat().sort();
    t.same(
      [...printed.keys()].filter((name) => !ours.has(name)),
      [],
      'nothing is missing',
    );
    t.same(differences.sort(), all(DIFFERENT));
    t.same(added.sort(), all(ADDED));
  },
);

interface Attribute {
  readonly [characteristic: string]: unknown;
  readonly name: string;
  readonly type: string;
  readonly subAttributes?: readonly Attribute[];
}

interface Schema {
  readonly id: string;
  readonly attributes: readonly Attribute[];
}

/** The last word of each URN that the RFC defines, as the table names the schemas. */
const NAMES: Readonly<Record<string, string>> = {
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': 'EnterpriseUser',
  ...Object.fromEntries(
    ['User', 'Group', 'ServiceProviderConfig', 'ResourceType', 'Schema'].map((name) => [
      `urn:ietf:params:scim:schemas:core:2.0:${name}`,
      name,
    ]),
  ),
};

function definitions(schemas: readonly Schema[]): Map<string, Characteristics> {
  const found = new Map<string, Characteristics>();
  const collect = (attributes: readonly Attribute[], prefix: string): void => {
    for (const { name, subAttributes = [], description: _description, ...rest } of attributes) {
      const texts = Object.entries(rest).map(([key, value]) => [
        key,
        Array.isArray(value) ? value.join(' ') : String(value),
      ]);
      found.set(`${prefix}${name}`, Object.fromEntries(texts));
      collect(subAttributes, `${prefix}${name}.`);
    }
  };
  for (const { id, attributes } of schemas) {
    const name = NAMES[id];
    if (name !== undefined) collect(attributes, `${name} `);
  }
  return found;
}

/** The table, with what the RFC leaves to section 2.2 (defaults) and to sections 2.3.6 to 2.3.8 filled in. */
function printedDefinitions(): Map<string, Characteristics> {
  const [head = '', ...lines] = readFileSync(TABLE, 'utf8').trim().split('\n');
  const names = head.split(',').slice(2);
  return new Map(
    lines.map((line) => {
      const [schema, attribute, ...values] = line.split(',');
      const row = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
      return [`${schema} ${attribute}`, { ...row, ...impliedBy(row) }];
    }),
  );
}

function impliedBy({ type, caseExact, uniqueness }: Characteristics): Characteristics {
  if (type === 'complex') return { caseExact: '', uniqueness: '' };
  const exact = type === 'reference' || type === 'binary' ? 'true' : caseExact || 'false';
  return { caseExact: exact, uniqueness: uniqueness || 'none' };
}
