import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Context, ScimActor } from '../../context.ts';
import type { Turn } from '../../directory/list.ts';
import { CURSOR_TIMEOUT } from '../../scim/discovery.ts';
import { badRequest } from '../../scim/error.ts';
import type { ListQuery } from '../../scim/query.ts';

/**
 * Cursors (RFC 9865) hold the place that a page goes on from, so that the service keeps nothing about them. They
 * are encrypted, because a place tells of resources, and authenticated together with what they were made for:
 * nobody else's cursor and no other query's opens (sections 2 and 5.2).
 */

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface Content {
  readonly turn: Turn;
  readonly count: number;
  /** In milliseconds. */
  readonly issuedAt: number;
}

/** The cursor that leads to a neighbour of this query's page. */
export function sealCursor(context: Context, actor: ScimActor, query: ListQuery, turn: Turn): string {
  const content: Content = { turn, count: query.count, issuedAt: context.now().getTime() };
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(context, actor), nonce);
  cipher.setAAD(bindingOf(actor, query));
  const sealed = [cipher.update(JSON.stringify(content), 'utf8'), cipher.final()];
  return Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
}

/**
 * Where a query with this cursor goes on; an empty one is the beginning. Throws invalidCursor, in the same words
 * whatever is wrong with it, expiredCursor and invalidCount.
 */
export function openCursor(context: Context, actor: ScimActor, query: ListQuery, cursor: string): Turn {
  if (cursor === '') return { backward: false };
  const content = decrypt(context, actor, query, cursor);
  if (content === undefined) {
    throw badRequest(
      'invalidCursor',
      'The cursor does not belong to this query: repeat the query as it was, or begin again with an empty cursor',
    );
  }
  if (context.now().getTime() - content.issuedAt > CURSOR_TIMEOUT * 1_000) {
    throw badRequest(
      'expiredCursor',
      `The cursor is older than ${CURSOR_TIMEOUT} seconds: begin again with an empty cursor`,
    );
  }
  if (content.count !== query.count) {
    throw badRequest('invalidCount', `count must stay ${content.count} from page to page`);
  }
  return content.turn;
}

function decrypt(context: Context, actor: ScimActor, query: ListQuery, cursor: string): Content | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  // The decoder is generous; of all texts for these bytes only ours holds.
  if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== cursor) return undefined;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', keyOf(context, actor), nonce, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(bindingOf(actor, query));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const text = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return JSON.parse(Buffer.concat(text).toString()) as Content;
  } catch {
    return undefined;
  }
}

/** A key for each tenant: random nonces hold for 2^32 cursors of one key. */
function keyOf({ secretKey }: Context, { tenantId }: ScimActor): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', `rollcall scim cursor 1 ${tenantId}`, 32));
}

/** What has to be the same on every page; `count` too, which has an error of its own. */
function bindingOf({ tenantId, directoryId }: ScimActor, { types, sortOrder, written }: ListQuery): Buffer {
  const { filter = null, sortBy = null } = written;
  // The type of what is sorted by too: a tenant may define its attributes anew, and old places are no values then.
  const names = types.map(({ type, sortBy }) => [
    type.name,
    (sortBy?.subAttribute ?? sortBy?.attribute)?.type,
  ]);
  return Buffer.from(JSON.stringify([tenantId, directoryId, names, filter, sortBy, sortOrder]));
}
