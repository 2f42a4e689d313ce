/**
 * Puts a value behind all others of a map in which no more than `most` are kept: what was put longest ago makes room. The
 * map stays in the order in which its keys were put last.
 */
export function putLast<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): void {
  // A key that is set again would keep its old place.
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
