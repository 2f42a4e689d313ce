import type { ResourceType } from '../../src/scim/types.ts';
import type { TypeSchema } from '../oracle/schema.ts';

/** A resource type as the oracle learns it from discovery, for tests that do without HTTP. */
export function plainType({ schema, extensions }: ResourceType): TypeSchema {
  const urns = extensions.map((each) => each.schema.id);
  const own = schema.attributes.map((definition) => ({ definition }));
  const extended = extensions.flatMap((each) =>
    each.schema.attributes.map((definition) => ({ urn: each.schema.id, definition })),
  );
  return { endpoint: '/Users', core: schema.id, extensions: urns, attributes: [...own, ...extended] };
}
