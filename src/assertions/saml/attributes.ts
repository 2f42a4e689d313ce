import { AssertionError } from '../types.ts';
import { ASSERTION, childrenNamed } from './names.ts';
import type { XmlElement } from './xml.ts';

/** Of one attribute. Entra ID sends at most 150 groups by SAML, and a link in their place beyond. */
const MAX_VALUES = 2_000;

const NIL = '{http://www.w3.org/2001/XMLSchema-instance}nil';

/** What Entra ID sends in place of groups when they are too many. */
const GROUPS_LINK = 'http://schemas.microsoft.com/claims/groups.link';

/**
 * The assertion's attributes by Name, with their texts in order. Left out are values that are empty, nil, or made of
 * elements, which are no texts. Throws `duplicate_attribute`: of two attributes of one name, other readers take the
 * first or the last. Throws `too_many_groups` beyond 2,000 values.
 */
export function readAttributes(assertion: XmlElement): ReadonlyMap<string, readonly string[]> {
  const read = new Map<string, readonly string[]>();
  const statements = childrenNamed(assertion, ASSERTION, 'AttributeStatement');
  for (const attribute of statements.flatMap((found) => childrenNamed(found, ASSERTION, 'Attribute'))) {
    const name = attribute.attributes.get('Name');
    if (!name) throw new AssertionError('malformed', 'An Attribute has no Name.');
    if (read.has(name)) {
      throw new AssertionError(
        'duplicate_attribute',
        `The Attribute ${name.slice(0, 200)} is there twice. Let the identity provider send its values in one ` +
          '(Keycloak: "Single Role Attribute", "Single Group Attribute").',
      );
    }
    const values = childrenNamed(attribute, ASSERTION, 'AttributeValue');
    if (values.length > MAX_VALUES) {
      throw new AssertionError(
        'too_many_groups',
        `The Attribute ${name.slice(0, 200)} has more than ${MAX_VALUES} values. Send only the groups of this application.`,
      );
    }
    read.set(
      name,
      values.filter(isText).map(({ text }) => text),
    );
  }
  return read;
}

function isText({ text, children, attributes }: XmlElement): boolean {
  const nil = attributes.get(NIL);
  return text !== '' && children.length === 0 && nil !== 'true' && nil !== '1';
}

export const hasGroupOverage = (attributes: ReadonlyMap<string, readonly string[]>): boolean =>
  attributes.has(GROUPS_LINK);
