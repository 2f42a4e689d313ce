/**
 * What `lateral` takes to look rows up key by key: those of `$1`, the tenant, with this value in a column. Where a
 * condition says more about them it stands outside, and a list of ids is unnested instead of compared with `any`: of a
 * tenant that PostgreSQL has not seen yet it expects no row, takes any index that begins with the tenant for as good as
 * the primary key, and would read the whole directory to find one user.
 */
export const found = (table: string, column: string, value: string) =>
  `select * from ${table} as y where y.tenant_id = $1 and y.${column} = ${value} offset 0`;

/** The rows of these ids, as `alias`; `ids` is a parameter that holds an array. */
export const foundByIds = (table: string, ids: string, alias: string) =>
  `(select distinct unnest(${ids}::uuid[]) as id) as wanted cross join lateral (${found(table, 'id', 'wanted.id')}) as ${alias}`;
