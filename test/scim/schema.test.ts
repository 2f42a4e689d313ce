import t from 'tap';
import { resourceTypeResources, schemaResources, serviceProviderConfig } from '../../src/scim/discovery.ts';
import { toJsonSchema } from '../../src/scim/json-schema.ts';
import {
  BASE_TYPES,
  CORE_GROUP,
  CORE_USER,
  ENTERPRISE_USER,
  GROUP_TYPE,
  USER_TYPE,
} from '../../src/scim/resource-types.ts';
import { coreGroupSchema } from '../../src/scim/schemas/core-group.ts';
import { coreUserSchema } from '../../src/scim/schemas/core-user.ts';
import {
  resourceTypeSchema,
  schemaSchema,
  serviceProviderConfigSchema,
} from '../../src/scim/schemas/discovery.ts';
import { enterpriseUserSchema } from '../../src/scim/schemas/enterprise-user.ts';
import type { Attribute, JsonObject, JsonValue, Schema } from '../../src/scim/types.ts';

const BASE_URL = 'https://rollcall.example/api/scim/v2';

/** `name type` and what differs from the defaults of RFC 7643 section 2.2, sub-attributes with two spaces. */
function describe(attribute: Attribute, indent = ''): string[] {
  const { name, type, multiValued, required, caseExact, mutability, returned, uniqueness } = attribute;
  const words = [
    name,
    type,
    multiValued && 'multi',
    required && 'required',
    caseExact && 'exact',
    mutability !== 'readWrite' && mutability,
    returned !== 'default' && `returned:${returned}`,
    uniqueness !== 'none' && `unique:${uniqueness}`,
    attribute.canonicalValues?.join('/'),
    attribute.referenceTypes && `->${attribute.referenceTypes.join('/')}`,
  ];
  const subAttributes = attribute.subAttributes?.flatMap((sub) => describe(sub, `${indent}  `)) ?? [];
  return [indent + words.filter(Boolean).join(' '), ...subAttributes];
}

const lines = (schema: Schema) => schema.attributes.flatMap((attribute) => describe(attribute));
const table = (text: string) => text.split('\n').filter((line) => line !== '');

const COMMON_FIRST = `
schemas reference multi exact readOnly returned:always ->uri
id string exact readOnly returned:always unique:server
externalId string exact`;

const META = `
meta complex readOnly
  resourceType string exact readOnly
  created dateTime readOnly
  lastModified dateTime readOnly
  location reference exact readOnly ->uri
  version string exact readOnly`;

const PLURAL = (value: string, type: string) => `
  value ${value}
  display string
  type string${type}
  primary boolean`;

t.test('§8.7.1 the User schema has every attribute with its characteristics', async (t) => {
  t.strictSame(
    lines(coreUserSchema),
    table(`${COMMON_FIRST}
userName string required unique:server
name complex
  formatted string
  familyName string
  givenName string
  middleName string
  honorificPrefix string
  honorificSuffix string
displayName string
nickName string
profileUrl reference exact ->external
title string
userType string
preferredLanguage string
locale string
timezone string
active boolean
password string writeOnly returned:never
emails complex multi${PLURAL('string', ' work/home/other')}
phoneNumbers complex multi${PLURAL('string', ' work/home/mobile/fax/pager/other')}
ims complex multi${PLURAL('string', ' aim/gtalk/icq/xmpp/msn/skype/qq/yahoo')}
photos complex multi${PLURAL('reference exact ->external', ' photo/thumbnail')}
addresses complex multi
  formatted string
  streetAddress string
  locality string
  region string
  postalCode string
  country string
  type string work/home/other
  primary boolean
groups complex multi readOnly
  value string exact readOnly
  $ref reference exact readOnly ->Group
  display string readOnly
  type string readOnly direct/indirect
entitlements complex multi${PLURAL('string', '')}
roles complex multi${PLURAL('string', '')}
x509Certificates complex multi${PLURAL('binary exact', '')}${META}`),
  );
});

t.test('§8.7.1 the Group schema has every attribute; displayName is required (erratum 5368)', async (t) => {
  t.strictSame(
    lines(coreGroupSchema),
    table(`${COMMON_FIRST}
displayName string required
members complex multi
  value string exact immutable
  $ref reference exact immutable ->User
  type string immutable User
  display string readOnly${META}`),
  );
});

t.test(
  '§8.7.1 the enterprise extension has every attribute; manager.value is case exact (8472)',
  async (t) => {
    t.strictSame(
      lines(enterpriseUserSchema),
      table(`
employeeNumber string
costCenter string
organization string
division string
department string
manager complex
  value string exact
  $ref reference exact ->User
  displayName string readOnly`),
    );
  },
);

t.test('§8.7.2 the schemas of discovery', async (t) => {
  const CHARACTERISTICS = `
name string required exact readOnly
type string required readOnly string/boolean/decimal/integer/dateTime/reference/binary/complex
multiValued boolean required readOnly
description string exact readOnly
required boolean readOnly
canonicalValues string multi exact readOnly
caseExact boolean readOnly
mutability string exact readOnly readOnly/readWrite/immutable/writeOnly
returned string exact readOnly always/never/default/request
uniqueness string exact readOnly none/server/global
referenceTypes string multi exact readOnly`;
  const SUPPORTED = '\n  supported boolean required readOnly';
  t.strictSame(
    lines(serviceProviderConfigSchema),
    table(`
documentationUri reference exact readOnly ->external
patch complex required readOnly${SUPPORTED}
bulk complex required readOnly${SUPPORTED}
  maxOperations integer required readOnly
  maxPayloadSize integer required readOnly
filter complex required readOnly${SUPPORTED}
  maxResults integer required readOnly
changePassword complex required readOnly${SUPPORTED}
sort complex required readOnly${SUPPORTED}
etag complex required readOnly${SUPPORTED}
pagination complex readOnly
  cursor boolean required readOnly
  index boolean required readOnly
  defaultPaginationMethod string readOnly cursor/index
  defaultPageSize integer readOnly
  maxPageSize integer readOnly
  cursorTimeout integer readOnly
authenticationSchemes complex multi required readOnly
  type string required readOnly oauth/oauth2/oauthbearertoken/httpbasic/httpdigest
  name string required readOnly
  description string required readOnly
  specUri reference exact readOnly ->external
  documentationUri reference exact readOnly ->external
  primary boolean readOnly`),
  );
  t.strictSame(
    lines(resourceTypeSchema),
    table(`
id string readOnly
name string required exact readOnly unique:server
description string readOnly
endpoint reference required exact readOnly unique:server ->uri
schema reference required exact readOnly ->uri
schemaExtensions complex multi required readOnly
  schema reference required exact readOnly ->uri
  required boolean required readOnly`),
  );
  t.strictSame(
    lines(schemaSchema),
    table(`
id string required readOnly
name string required readOnly
description string readOnly
attributes complex multi required readOnly${CHARACTERISTICS.replaceAll('\n', '\n  ')}
  subAttributes complex multi readOnly${CHARACTERISTICS.replaceAll('\n', '\n    ')}`),
  );
});

t.test('§2.1 names obey the grammar, and §2.3.8 no sub-attribute of a resource is complex', async (t) => {
  for (const schema of [coreUserSchema, coreGroupSchema, enterpriseUserSchema] satisfies Schema[]) {
    const attributes: readonly Attribute[] = schema.attributes;
    const subAttributes = attributes.flatMap((attribute) => attribute.subAttributes ?? []);
    for (const { name } of attributes) t.match(name, /^[A-Za-z][\w$-]*$/);
    for (const { name, type } of subAttributes) {
      t.match(name, /^(\$ref|[A-Za-z][\w$-]*)$/);
      t.not(type, 'complex', name);
    }
  }
});

t.test('§6 resource types name their schemas, and their URNs are exported', async (t) => {
  t.strictSame(
    Object.values(BASE_TYPES).map(({ name, endpoint, schema, extensions }) => [
      name,
      endpoint,
      schema.id,
      extensions.map((extension) => [extension.schema.id, extension.required]),
    ]),
    [
      ['User', '/Users', CORE_USER, [[ENTERPRISE_USER, false]]],
      ['Group', '/Groups', CORE_GROUP, []],
      ['Role', '/Roles', 'urn:okta:scim:schemas:core:1.0:Role', []],
      ['Entitlement', '/Entitlements', 'urn:okta:scim:schemas:core:1.0:Entitlement', []],
    ],
  );
});

t.test('§4 /ServiceProviderConfig says what is supported, RFC 9865 §4 pagination included', async (t) => {
  t.strictSame(serviceProviderConfig(BASE_URL), {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: { supported: true, maxOperations: 1000, maxPayloadSize: 4194304 },
    filter: { supported: true, maxResults: 1000 },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: 100,
      maxPageSize: 1000,
      cursorTimeout: 3600,
    },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'OAuth Bearer Token',
        description: 'An API key with the scope scim, sent as a bearer token',
        specUri: 'https://www.rfc-editor.org/info/rfc6750',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${BASE_URL}/ServiceProviderConfig` },
  });
});

t.test('§4 /ResourceTypes lists User with its extension, Group, and what Okta discovers', async (t) => {
  const [user, group, ...discovered] = resourceTypeResources(BASE_URL, Object.values(BASE_TYPES));
  t.strictSame(
    discovered.map(({ id, endpoint }) => [id, endpoint]),
    [
      ['Role', '/Roles'],
      ['Entitlement', '/Entitlements'],
    ],
  );
  t.strictSame(
    [user, group],
    [
      {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
        id: 'User',
        name: 'User',
        endpoint: '/Users',
        description: 'User Account',
        schema: CORE_USER,
        schemaExtensions: [{ schema: ENTERPRISE_USER, required: false }],
        meta: { resourceType: 'ResourceType', location: `${BASE_URL}/ResourceTypes/User` },
      },
      {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
        id: 'Group',
        name: 'Group',
        endpoint: '/Groups',
        description: 'Group',
        schema: CORE_GROUP,
        schemaExtensions: [],
        meta: { resourceType: 'ResourceType', location: `${BASE_URL}/ResourceTypes/Group` },
      },
    ],
  );
});

const member = (list: JsonValue | undefined, name: string) =>
  (list as JsonObject[]).find((object) => object.name === name) ?? t.fail(`${name} is missing`);

t.test('§4 /Schemas lists every schema that a resource here uses', async (t) => {
  const resources = schemaResources(BASE_URL, Object.values(BASE_TYPES));
  t.strictSame(
    resources.map((resource) => [resource.id, resource.name, resource.meta]),
    [
      [CORE_USER, 'User'],
      [ENTERPRISE_USER, 'EnterpriseUser'],
      [CORE_GROUP, 'Group'],
      ['urn:okta:scim:schemas:core:1.0:Role', 'Role'],
      ['urn:okta:scim:schemas:core:1.0:Entitlement', 'Entitlement'],
      ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig', 'Service Provider Configuration'],
      ['urn:ietf:params:scim:schemas:core:2.0:ResourceType', 'ResourceType'],
      ['urn:ietf:params:scim:schemas:core:2.0:Schema', 'Schema'],
    ].map(([id, name]) => [id, name, { resourceType: 'Schema', location: `${BASE_URL}/Schemas/${id}` }]),
  );
  for (const { schemas } of resources)
    t.strictSame(schemas, ['urn:ietf:params:scim:schemas:core:2.0:Schema']);
});

t.test(
  '/Schemas lists externalId, id and meta of User and Group: the Entra ID gallery test asks',
  async (t) => {
    for (const resource of schemaResources(BASE_URL, Object.values(BASE_TYPES)).filter(
      ({ name }) => name === 'User' || name === 'Group',
    )) {
      const names = (resource.attributes as JsonObject[]).map(({ name }) => name);
      t.strictSame(names.slice(0, 2), ['id', 'externalId']);
      t.equal(names.at(-1), 'meta');
      t.notOk(names.includes('schemas'));
    }
  },
);

t.test('§7 attributes are spelled out in the order of the RFC', async (t) => {
  const [user] = schemaResources(BASE_URL, Object.values(BASE_TYPES));
  t.equal(
    JSON.stringify(member(user?.attributes, 'userName')),
    JSON.stringify({
      name: 'userName',
      type: 'string',
      multiValued: false,
      description: 'The name by which the user is known to the service provider, unique in any case.',
      required: true,
      caseExact: false,
      mutability: 'readWrite',
      returned: 'default',
      uniqueness: 'server',
    }),
  );
  const emails = member(user?.attributes, 'emails') as JsonObject;
  t.strictSame(Object.keys(emails), [
    ...['name', 'type', 'subAttributes', 'multiValued', 'description', 'required', 'mutability', 'returned'],
  ]);
  t.match(member(emails.subAttributes, 'type'), { canonicalValues: ['work', 'home', 'other'] });
  const photos = member(user?.attributes, 'photos') as JsonObject;
  t.match(member(photos.subAttributes, 'value'), { caseExact: true, referenceTypes: ['external'] });
});

t.test('discovery answers are values of their own: changing one changes no schema', async (t) => {
  const [user] = schemaResources(BASE_URL, Object.values(BASE_TYPES));
  const type = member((member(user?.attributes, 'emails') as JsonObject).subAttributes, 'type') as JsonObject;
  (type.canonicalValues as string[]).push('changed');
  t.notSame(schemaResources(BASE_URL, Object.values(BASE_TYPES))[0], user);
});

t.test('a resource type as JSON Schema for OpenAPI', async (t) => {
  const user = toJsonSchema(USER_TYPE);
  t.match(user, { title: 'User', description: 'User Account', type: 'object', required: ['userName'] });
  const properties = user.properties as JsonObject;
  t.strictSame(Object.keys(properties), [
    ...coreUserSchema.attributes.map(({ name }) => name),
    ENTERPRISE_USER,
  ]);
  t.match(properties, {
    id: { type: 'string', readOnly: true },
    password: { type: 'string', writeOnly: true },
    active: { type: 'boolean' },
    emails: {
      type: 'array',
      items: {
        type: 'object',
        properties: { type: { type: 'string', examples: ['work', 'home', 'other'] } },
        required: [],
      },
    },
    x509Certificates: { items: { properties: { value: { type: 'string', contentEncoding: 'base64' } } } },
    profileUrl: { type: 'string', format: 'uri-reference' },
    meta: { readOnly: true, properties: { created: { type: 'string', format: 'date-time' } } },
    [ENTERPRISE_USER]: {
      type: 'object',
      properties: { manager: { properties: { displayName: { readOnly: true } } } },
    },
  });
  t.equal((properties.emails as JsonObject).readOnly, undefined);
  t.match(toJsonSchema(GROUP_TYPE), { title: 'Group', required: ['displayName'] });
  const required = USER_TYPE.extensions.map((extension) => ({ ...extension, required: true }));
  t.strictSame(toJsonSchema({ ...USER_TYPE, extensions: required }).required, ['userName', ENTERPRISE_USER]);
});
