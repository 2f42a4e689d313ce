import { type Client, ENTERPRISE, GROUP, type Resource, USER } from './client.ts';

/** An attribute as /Schemas describes it. */
export interface AttributeBody {
  readonly name: string;
  readonly type: string;
  readonly subAttributes?: readonly AttributeBody[];
  readonly [characteristic: string]: unknown;
}

/** Every attribute and part that the client discovers: `emails.type`, `manager.value`, `Group.members`. */
export async function discoveredAttributes(client: Client): Promise<Map<string, AttributeBody>> {
  const found = new Map<string, AttributeBody>();
  const add = (list: readonly AttributeBody[], prefix: string) => {
    for (const attribute of list) {
      found.set(prefix + attribute.name, attribute);
      add(attribute.subAttributes ?? [], `${prefix}${attribute.name}.`);
    }
  };
  for (const urn of [USER, ENTERPRISE, GROUP]) {
    const { body } = await client.ask<Resource & { attributes: AttributeBody[] }>('GET', `/Schemas/${urn}`);
    add(body.attributes, urn === GROUP ? 'Group.' : '');
  }
  return found;
}
