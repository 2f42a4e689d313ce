/**
 * What `lateral` takes to look rows up key by key. Of a tenant that PostgreSQL has not seen yet it expects no row, and
 * takes any index that begins with the tenant for as good as the primary key: a join, or a list of ids compared with
 * `any`, would read a whole directory to find one user. Conditions besides the key stand outside.
 */

/**
 * The tenant, for look-ups in statements that are planned for their values: of a tenant that it knows to be new
 * PostgreSQL would expect nobody, and look through all its users for each. So it is not told which tenant that is.
 */
export const SOME_TENANT = '(select $1::uuid)';

/** The rows of the tenant with this value in a column. */
export const found = (table: string, column: string, value: string, tenant = '$1') =>
  `select * from ${table} as y where y.tenant_id = ${tenant} and y.${column} = ${value} offset 0`;

/** What `from` takes: the rows of these ids, as `alias`; `ids` is a parameter that holds an array. */
export const foundByIds = (table: string, ids: string, alias: string) =>
  `(select distinct unnest(${ids}::uuid[]) as id) as wanted
     cross join lateral (${found(table, 'id', 'wanted.id')}) as ${alias}`;

/**
 * The place of the row of this id, for a write to it where `ctid = place`. A place is where the row was as the statement
 * began: of rows that the transaction has locked, or that are not written where somebody was faster. It is the tenant's
 * only beside `tenant_id = $1`: partitions have the same places.
 */
export const placeOf = (table: string, id: string) => placesWhere(table, `y.id = ${id}`);

/** The same of all rows with these values. */
export const placesWhere = (table: string, conditions: string) =>
  `select y.ctid as place from ${table} as y where y.tenant_id = $1 and ${conditions} offset 0`;

/** Whether there is a row with these values, looked up and never joined. */
export const isThere = (table: string, conditions: string) =>
  `exists (select from ${table} as y where y.tenant_id = $1 and ${conditions} offset 0)`;
