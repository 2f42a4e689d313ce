const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Whether `text` has the form of the ids that we mint, which are case-exact (RFC 7643 section 3.1). Anything
 * else names nothing and is never asked for: PostgreSQL would raise an error where the answer is "not found".
 */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
