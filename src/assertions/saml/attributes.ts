import { AssertionError } from '../types.ts';
import { ASSERTION, childrenNamed, is } from './names.ts';
import type { XmlElement } from './xml.ts';

/** Of one attribute. Entra ID sends at most 150 groups by SAML, and a link in their place beyond. */
const MAX_VALUES = 2_000;

const NIL = '{http://www.w3.org/2001/XMLSchema-instance}nil';

/** What Entra ID sends in place of groups when they are too many. */
const GROUPS_LINK = 'http://schemas.microsoft.com/claims/groups.link';

/**
 * The assertion's attributes by Name, with their texts in order. An attribute without a value, or with empty and nil ones
 * alone, has none (core section 2.7.3.1): that is how somebody without groups is told. One with a part that is no text is
 * left out whole, as if it had not come: half a list of groups would take groups away. Throws `duplicate_attribute`: of two
 * attributes of one name, other readers take the first or the last. Throws `too_many_groups` beyond 2,000 values.
 */
export function readAttributes(assertion: XmlElement): ReadonlyMap<string, readonly string[]> {
  const read = new Map<string, readonly string[]>();
  const names = new Set<string>();
  const statements = childrenNamed(assertion, ASSERTION, 'AttributeStatement');
  for (const attribute of statements.flatMap((found) => childrenNamed(found, ASSERTION, 'Attribute'))) {
    const name = attribute.attributes.get('Name');
    if (!name) throw new AssertionError('malformed', 'An Attribute has no Name.');
    if (names.has(name)) {
      throw new AssertionError(
        'duplicate_attribute',
        `The Attribute ${name.slice(0, 200)} is there twice. Let the identity provider send its values in one ` +
          '(Keycloak: "Single Role Attribute", "Single Group Attribute").',
      );
    }
    names.add(name);
    if (attribute.children.length > MAX_VALUES) {
      throw new AssertionError(
        'too_many_groups',
        `The Attribute ${name.slice(0, 200)} has more than ${MAX_VALUES} values. Send only the groups of this application.`,
      );
    }
    const texts = textsOf(attribute);
    if (texts !== undefined) read.set(name, texts);
  }
  return read;
}

function textsOf({ text, children }: XmlElement): string[] | undefined {
  const isRead = text.trim() === '' && children.every(isText);
  return isRead ? children.map((value) => value.text).filter((value) => value !== '') : undefined;
}

/** Whether it is an AttributeValue with a text, or with nothing. */
function isText(element: XmlElement): boolean {
  const { text, children, attributes } = element;
  const nil = ['true', '1'].includes(attributes.get(NIL) ?? '');
  return is(element, ASSERTION, 'AttributeValue') && children.length === 0 && !(nil && text !== '');
}

export const hasGroupOverage = (attributes: ReadonlyMap<string, readonly string[]>): boolean =>
  attributes.has(GROUPS_LINK);
