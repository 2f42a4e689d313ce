import type { Item } from './item.ts';
import { ATTRIBUTES } from './items/attributes.ts';
import { BULK_AND_BEYOND } from './items/bulk-and-beyond.ts';
import { CREATE_AND_READ } from './items/create-and-read.ts';
import { QUERY_AND_WRITE } from './items/query-and-write.ts';
import { TRANSPORT_AND_RESOURCES } from './items/transport-and-resources.ts';

/** How many requirements there are: numbers run from 1 without a gap, and are never given to another requirement. */
export const ITEM_COUNT = 311;

/** The requirements of RFC 7643, 7644, 9865 and 9967 on a service provider, in the order of their numbers. */
export const ITEMS: readonly Item[] = [
  ...TRANSPORT_AND_RESOURCES,
  ...ATTRIBUTES,
  ...CREATE_AND_READ,
  ...QUERY_AND_WRITE,
  ...BULK_AND_BEYOND,
];

export interface Section {
  readonly title: string;
  /** The number of its first item; it ends before the first of the next. */
  readonly first: number;
}

export const SECTIONS: readonly Section[] = [
  { title: 'Transport, authentication, authorization', first: 1 },
  { title: 'Base URL, endpoints, methods', first: 15 },
  { title: 'Media types and encoding', first: 26 },
  { title: 'Resources and common attributes', first: 32 },
  { title: 'Characteristics of attributes', first: 55 },
  { title: 'Types of values', first: 70 },
  { title: 'Multi-valued, null, unassigned', first: 81 },
  { title: 'Core schemas', first: 89 },
  { title: 'Create', first: 107 },
  { title: 'Retrieve', first: 117 },
  { title: 'Filter', first: 127 },
  { title: 'Sort', first: 151 },
  { title: 'Index paging', first: 157 },
  { title: 'Attributes of an answer', first: 162 },
  { title: 'Search', first: 169 },
  { title: 'Replace', first: 173 },
  { title: 'PATCH', first: 183 },
  { title: 'PATCH: add', first: 201 },
  { title: 'PATCH: remove', first: 209 },
  { title: 'PATCH: replace', first: 216 },
  { title: 'Delete', first: 223 },
  { title: 'Bulk', first: 227 },
  { title: 'Names of attributes', first: 245 },
  { title: '/Me', first: 247 },
  { title: 'Errors', first: 251 },
  { title: 'Versions', first: 257 },
  { title: 'Discovery', first: 262 },
  { title: 'Internationalization', first: 276 },
  { title: 'Tenants', first: 278 },
  { title: 'Security and privacy', first: 284 },
  { title: 'Cursor paging', first: 289 },
  { title: 'Asynchronous requests', first: 306 },
];
