import Type, { type TProperties } from 'typebox';
import type { Scope } from '../../context.ts';
import { Id, Label, nullable, Timestamp } from '../shapes.ts';

/** What tenants' keys and service keys have in common, on the wire. */

/** A list of scopes out of these. */
export function scopesOf(scopes: readonly Scope[]) {
  return Type.Unsafe<readonly Scope[]>(
    Type.Array(Type.Enum([...scopes]), {
      minItems: 1,
      uniqueItems: true,
      description: 'What the key is for',
    }),
  );
}

/** Of a request for a new key. */
export const newKeyFields = {
  name: Label,
  expiresAt: Type.Optional(nullable(Type.String({ format: 'date-time', description: 'null: never' }))),
};

/** Of a key that is listed. */
export const keyFields = {
  id: Id,
  name: Label,
  prefix: Type.String({ description: 'How the key begins, to tell it from others' }),
  createdAt: Timestamp,
  expiresAt: nullable(Timestamp),
  lastUsedAt: nullable(Timestamp),
};

/** A key as it is answered once, when it is issued. */
export function issuedKey<Fields extends TProperties>(fields: Fields) {
  return Type.Object({
    ...fields,
    key: Type.String({ description: 'The key itself: keep it, it is not shown again' }),
  });
}

/** The end of a key's life as a Date; null: it has none. */
export function readExpiry(text: string | null | undefined): Date | null {
  return text === null || text === undefined ? null : new Date(text);
}
