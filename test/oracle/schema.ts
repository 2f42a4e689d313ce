import type { Client } from '../support/client.ts';

/**
 * The attributes of a resource type as GET /Schemas and GET /ResourceTypes announce them. The oracle knows nothing
 * else of the service: its answers follow from these characteristics and the RFCs.
 */

export type AttributeType =
  | 'string'
  | 'boolean'
  | 'decimal'
  | 'integer'
  | 'dateTime'
  | 'binary'
  | 'reference'
  | 'complex';

/** RFC 7643 section 7. */
export interface Definition {
  readonly name: string;
  readonly type: AttributeType;
  readonly multiValued: boolean;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly';
  readonly returned: 'always' | 'never' | 'default' | 'request';
  readonly canonicalValues?: readonly string[];
  readonly subAttributes?: readonly Definition[];
}

/** An attribute of the type, with the extension that it belongs to; none: the core schema. */
export interface Located {
  readonly urn?: string;
  readonly definition: Definition;
}

export interface TypeSchema {
  readonly endpoint: '/Users' | '/Groups';
  readonly core: string;
  readonly extensions: readonly string[];
  readonly attributes: readonly Located[];
}

/** RFC 7643 section 3: every resource has it, and no schema lists it. */
const SCHEMAS: Definition = {
  name: 'schemas',
  type: 'reference',
  multiValued: true,
  required: true,
  caseExact: true,
  mutability: 'readOnly',
  returned: 'always',
};

interface Announced<Each> {
  readonly Resources: readonly Each[];
}
interface AnnouncedType {
  readonly endpoint: string;
  readonly schema: string;
  readonly schemaExtensions?: readonly { readonly schema: string }[];
}
interface AnnouncedSchema {
  readonly id: string;
  readonly attributes: readonly Definition[];
}

/** What a tenant's key is told of a resource type. */
export async function readTypeSchema(client: Client, endpoint: TypeSchema['endpoint']): Promise<TypeSchema> {
  const { body: types } = await client.ask<Announced<AnnouncedType>>('GET', '/ResourceTypes');
  const { body: schemas } = await client.ask<Announced<AnnouncedSchema>>('GET', '/Schemas');
  const type = types.Resources.find((each) => each.endpoint === endpoint);
  if (!type) throw new Error(`no resource type is announced for ${endpoint}`);
  const definitionsOf = (id: string) => {
    const schema = schemas.Resources.find((each) => each.id === id);
    if (!schema) throw new Error(`${id} is announced by /ResourceTypes and not by /Schemas`);
    return schema.attributes;
  };
  const extensions = (type.schemaExtensions ?? []).map(({ schema }) => schema);
  return {
    endpoint,
    core: type.schema,
    extensions,
    attributes: [
      { definition: SCHEMAS },
      ...definitionsOf(type.schema).map((definition) => ({ definition })),
      ...extensions.flatMap((urn) => definitionsOf(urn).map((definition) => ({ urn, definition }))),
    ],
  };
}
