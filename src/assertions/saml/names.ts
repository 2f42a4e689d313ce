import type { XmlElement } from './xml.ts';

/** The namespaces of SAML core 2.0, XML Signature and XML Encryption. */
export const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol';
export const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion';
export const SIGNATURE = 'http://www.w3.org/2000/09/xmldsig#';
export const ENCRYPTION = 'http://www.w3.org/2001/04/xmlenc#';
export const EXCLUSIVE_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';

export const is = (element: XmlElement, namespace: string, name: string): boolean =>
  element.name === name && element.namespace === namespace;

/** The children of that name, in their order. */
export const childrenNamed = (parent: XmlElement, namespace: string, name: string): readonly XmlElement[] =>
  parent.children.filter((child) => is(child, namespace, name));

/** The one child of that name; undefined when there is none, or when there are several. */
export function onlyChild(parent: XmlElement, namespace: string, name: string): XmlElement | undefined {
  const found = childrenNamed(parent, namespace, name);
  return found.length === 1 ? found[0] : undefined;
}

/** Text that stands alone: undefined for an element with children, whose text could be read in several ways. */
export const plainText = (element: XmlElement | undefined): string | undefined =>
  element?.children.length === 0 ? element.text : undefined;
