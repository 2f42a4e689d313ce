/**
 * By what rows of the group mapping find groups and claims (`mapping_row.match`), in SQL: one list of keys for whoever
 * plans, locks or explains. Expressions of a name and of ids; null ones find nothing.
 */
export const matchKeys = (name: string, ...ids: readonly string[]): string =>
  [`'name:' || ${name}`, ...ids.map((id) => `'id:' || ${id}`)].join(', ');

/** The keys of a row `g` of `scim_group`: its name, our id, and the id that it has in its directory. */
export const GROUP_KEYS = matchKeys('g.display_name', 'g.id', 'g.external_id');

/** The keys of a claim `c.name`, which may be a name or an id. */
export const CLAIM_KEYS = matchKeys('c.name', 'c.name');

/** The keys as rows `key (match)`, to be joined. */
export const keyRows = (keys: string): string => `unnest(array[${keys}]) as key (match)`;
