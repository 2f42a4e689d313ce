import t from 'tap';
import { startApp } from '../support/app.ts';
import { clientOf, ENTERPRISE, type ErrorBody, GROUP, SCIM, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas`, as a client that has no key yet reads them. */

const app = await startApp(t);
const client = clientOf(app, await app.scimKey(await app.createTenant()));

const CORE = 'urn:ietf:params:scim:schemas:core:2.0';
const SERVICE = [`${CORE}:ServiceProviderConfig`, `${CORE}:ResourceType`, `${CORE}:Schema`] as const;

interface Discovered {
  readonly id: string;
  readonly name: string;
  readonly schemas: readonly string[];
  readonly meta: { readonly resourceType: string; readonly location: string };
}

interface ResourceType extends Discovered {
  readonly endpoint: string;
  readonly schema: string;
  readonly schemaExtensions: readonly { readonly schema: string; readonly required: boolean }[];
}

interface Attribute extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly type: string;
  readonly subAttributes?: readonly Attribute[];
}

interface Schema extends Discovered {
  readonly attributes: readonly Attribute[];
}

const read = async <Body = Discovered>(path: string) => (await app.send<Body>('GET', `${SCIM}${path}`)).body;
const all = async <Kind extends Discovered>(path: string) =>
  (await read<{ readonly Resources: readonly Kind[] }>(path)).Resources;

meets(
  t,
  [262, 263, 264, 265, 266, 227],
  'the configuration says what there is, to whoever asks',
  async (t) => {
    const config = await read<Record<string, unknown>>('/ServiceProviderConfig');
    t.same(config.schemas, [SERVICE[0]]);
    const figure = (value: unknown) => Number.isInteger(value) && Number(value) > 0;
    for (const feature of ['patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag']) {
      t.type((config[feature] as { supported: unknown }).supported, 'boolean', feature);
    }
    const { bulk, filter } = config as Record<string, Record<string, unknown>>;
    t.ok(figure(bulk?.maxOperations) && figure(bulk?.maxPayloadSize) && figure(filter?.maxResults));
    const schemes = config.authenticationSchemes as readonly Record<string, unknown>[];
    t.ok(schemes.length > 0);
    for (const { type, name, description } of schemes) {
      t.ok(['oauth', 'oauth2', 'oauthbearertoken', 'httpbasic', 'httpdigest'].includes(String(type)));
      t.match({ name, description }, { name: /\S/, description: /\S/ });
    }
    const { attributes } = await read<Schema>(`/Schemas/${SERVICE[0]}`);
    t.ok(attributes.every(({ mutability }) => mutability === 'readOnly'));
    t.notOk('id' in config, 'there is only one: it needs no id');
  },
);

meets(
  t,
  [267, 268, 269],
  'lists hold every resource type and every schema, and each can be read alone',
  async (t) => {
    for (const path of ['/ResourceTypes', '/Schemas']) {
      const list = await read<Record<string, unknown> & { Resources: readonly Discovered[] }>(path);
      t.same(list.schemas, ['urn:ietf:params:scim:api:messages:2.0:ListResponse']);
      t.equal(list.totalResults, list.Resources.length);
      t.same(
        { startIndex: list.startIndex, itemsPerPage: list.itemsPerPage },
        { startIndex: 1, itemsPerPage: list.totalResults },
      );
      for (const each of list.Resources) t.same(await read(`${path}/${each.id}`), each, each.id);
      const missing = await app.send<ErrorBody>('GET', `${SCIM}${path}/Nothing`);
      t.match(missing, { status: 404, body: { status: '404' } });
    }
    const types = await all<ResourceType>('/ResourceTypes');
    for (const name of ['User', 'Group']) t.ok(types.some((type) => type.id === name && type.name === name));

    const known = new Set((await all('/Schemas')).map(({ id }) => id));
    const used = new Set([
      ...SERVICE,
      ...types.flatMap((type) => [type.schema, ...type.schemaExtensions.map(({ schema }) => schema)]),
      ...((await client.user('with-extension', { [ENTERPRISE]: { department: 'D' } })).schemas as string[]),
      ...((await client.group('with-schema')).schemas as string[]),
    ]);
    for (const urn of used) t.ok(known.has(urn), urn);
  },
);

meets(t, [272], 'a resource type names its endpoint and schemas, and the endpoint answers', async (t) => {
  const schemas = new Map((await all('/Schemas')).map((schema) => [schema.id, schema]));
  const types = await all<ResourceType>('/ResourceTypes');
  for (const { name, endpoint, schema, schemaExtensions, schemas: own } of types) {
    t.same(own, [SERVICE[1]]);
    t.match(name, /^[A-Z]\w+$/);
    t.match(endpoint, /^\/\w+s$/, `${name}: pluralized`);
    t.ok(schemas.has(schema));
    for (const extension of schemaExtensions) {
      t.ok(schemas.has(extension.schema));
      t.type(extension.required, 'boolean');
    }
    t.not((await client.ask('GET', endpoint)).status, 404, `${name} has its endpoint`);
  }
  const byName = (name: string) => types.find((type) => type.name === name);
  t.match(byName('User'), {
    endpoint: '/Users',
    schema: USER,
    schemaExtensions: [{ schema: ENTERPRISE, required: false }],
  });
  t.match(byName('Group'), { endpoint: '/Groups', schema: GROUP });
});

meets(t, [273], 'a schema describes each attribute by every characteristic', async (t) => {
  const check = (attribute: Attribute, where: string): void => {
    const { name, type, multiValued, description, required, caseExact, mutability, returned, uniqueness } =
      attribute;
    t.match(name, /^(?:\$ref|[A-Za-z][\w$-]*)$/, where);
    t.match(
      { type, mutability, returned },
      {
        type: /^(?:string|boolean|decimal|integer|dateTime|binary|reference|complex)$/,
        mutability: /^(?:readOnly|readWrite|immutable|writeOnly)$/,
        returned: /^(?:always|never|default|request)$/,
      },
      where,
    );
    t.ok(
      [multiValued, required].every((value) => typeof value === 'boolean') && /\S/.test(String(description)),
      where,
    );
    const complex = type === 'complex';
    t.equal(attribute.subAttributes !== undefined, complex, `${where}: only complex ones have parts`);
    t.equal(typeof caseExact, complex ? 'undefined' : 'boolean', where);
    t.ok(complex || /^(?:none|server|global)$/.test(String(uniqueness)), where);
    t.equal(Array.isArray(attribute.referenceTypes), type === 'reference', `${where}: referenceTypes`);
    for (const part of attribute.subAttributes ?? []) check(part, `${where}.${part.name}`);
  };
  for (const { id, name, schemas, attributes } of await all<Schema>('/Schemas')) {
    t.same(schemas, [SERVICE[2]]);
    t.match({ id, name }, { id: /^urn:/, name: /\S/ });
    for (const attribute of attributes) check(attribute, `${id}:${attribute.name}`);
  }
});

meets(t, [275], 'resources of discovery say what they are and where', async (t) => {
  const config = await read('/ServiceProviderConfig');
  const resources = [config, ...(await all('/ResourceTypes')), ...(await all('/Schemas'))];
  for (const { schemas, meta } of resources) {
    t.equal(meta.resourceType, schemas[0]?.split(':').at(-1));
    const path = new URL(meta.location).pathname;
    t.match((await app.send('GET', path)).body, { meta }, `${path} is there`);
  }
});

meets(t, [270, 271], 'sorting and paging are ignored, and a filter is refused', async (t) => {
  for (const path of ['/ResourceTypes', '/Schemas']) {
    const plain = await read(path);
    for (const query of [
      'sortBy=name&sortOrder=descending',
      'startIndex=2&count=1',
      'count=0',
      'cursor=',
      'x=y',
    ]) {
      t.same(await read(`${path}?${query}`), plain, query);
    }
  }
  for (const path of ['/ServiceProviderConfig', '/ResourceTypes', '/Schemas', `/Schemas/${USER}`]) {
    for (const filter of ['filter=id%20pr', 'filter=', 'FILTER=nonsense']) {
      const answer = await app.send<ErrorBody>('GET', `${SCIM}${path}?${filter}`);
      t.match(answer, { status: 403, body: { status: '403', detail: /filter/ } }, `${path}?${filter}`);
    }
  }
});

meets(t, [274], 'nobody can write them', async (t) => {
  const paths = [
    '/ServiceProviderConfig',
    '/ResourceTypes',
    '/ResourceTypes/User',
    '/Schemas',
    `/Schemas/${USER}`,
  ];
  for (const path of paths) {
    const before = await read(path);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      const answer = await client.ask<ErrorBody>(method, path, {
        schemas: [SERVICE[2]],
        id: 'urn:x',
        name: 'X',
      });
      t.match(
        answer,
        { status: 405, body: { status: '405' }, headers: { allow: /GET/ } },
        `${method} ${path}`,
      );
    }
    t.same(await read(path), before);
  }
});

meets(t, [310], 'nothing of RFC 9967 is announced', async (t) => {
  t.notOk('securityEvents' in (await read('/ServiceProviderConfig')));
  const { attributes } = await read<Schema>(`/Schemas/${SERVICE[0]}`);
  t.notOk(attributes.some(({ name }) => name === 'securityEvents'));
});
