import { sql, type Transaction } from 'kysely';
import type { Tables } from '../db/tables.ts';

/** What of an extension is looked for: its attributes and sub-attributes, or nothing narrower than all of it. */
export interface ExtensionUse {
  /** As it was declared, which is how values lie under it. */
  readonly urn: string;
  /** `[attribute]` or `[attribute, subAttribute]`; `[]`: anything. */
  readonly paths: readonly (readonly string[])[];
}

/**
 * How many users of the tenant have a value in one of these places. Reads the stored text and not `search`, which
 * leaves out what is never returned; whoever acts on the answer holds the tenant alone (`lockTenantExclusive`).
 */
export async function countUsersWithValues(
  trx: Transaction<Tables>,
  tenantId: string,
  { urn, paths }: ExtensionUse,
): Promise<number> {
  // Attribute names hold no quotation mark; in lax mode a path looks into each value of an array.
  const places = paths.map((path) => ['$', ...path.map((name) => `"${name}"`)].join('.'));
  const { rows } = await sql<{ count: number }>`
    select count(*) as count
    from scim_user u
    where u.tenant_id = ${tenantId}
      -- Few users have an extension at first: the others are not parsed.
      and strpos(u.body, ${urn}) > 0
      and exists (select from unnest(${places}::text[]) as place
                  where jsonb_path_exists(u.body::jsonb -> ${urn}, place::jsonpath))`.execute(trx);
  return rows[0]?.count ?? 0;
}
