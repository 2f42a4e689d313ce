import type pg from 'pg';
import { groupColumns } from '../src/directory/groups.ts';
import { userColumns } from '../src/directory/user-columns.ts';
import { BASE_TYPES } from '../src/scim/resource-types.ts';
import { numbersIn, type Population, userId, userOf } from './population.ts';
import { withClient } from './postgres.ts';

/**
 * Writes the people of a directory by SQL, as fast as the database takes them, in the columns that the service itself
 * makes of a resource. They have no access yet.
 */
export async function fillTenant(connectionString: string, tenantId: string, population: Population) {
  await withClient(connectionString, async (client) => {
    for (const numbers of numbersIn(population.users)) {
      await insertUsers(client, tenantId, population, numbers);
    }
    await insertGroups(client, tenantId, population);
  });
}

const DIRECTORY = '(select id from directory where tenant_id = $1)';

async function insertUsers(
  client: pg.Client,
  tenantId: string,
  population: Population,
  numbers: readonly number[],
) {
  const rows = numbers.map((n) => userColumns({ tenantId, types: BASE_TYPES }, userOf(population, n)));
  await client.query(
    `insert into scim_user (tenant_id, id, directory_id, user_name_folded, external_id, active, version, created_at,
                            updated_at, body, search, lookup)
     select $1, id, ${DIRECTORY}, name, external_id, true, 1, now(), now(), body, search::jsonb, lookup::bigint[]
     from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       as u (id, name, external_id, body, search, lookup)`,
    [
      tenantId,
      numbers.map((n) => userId(population, n)),
      rows.map((row) => row.userNameFolded),
      rows.map((row) => row.externalId),
      rows.map((row) => row.body),
      rows.map((row) => row.search),
      rows.map((row) => row.lookup),
    ],
  );
}

async function insertGroups(client: pg.Client, tenantId: string, population: Population) {
  const groups = [...population.groups, population.everybody];
  const rows = groups.map(({ displayName }) => groupColumns({ displayName }));
  await client.query(
    `insert into scim_group (tenant_id, id, directory_id, display_name, display_name_folded, version, created_at,
                             updated_at, body, search)
     select $1, id, ${DIRECTORY}, name, name_folded, 1, now(), now(), body, search::jsonb
     from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[]) as g (id, name, name_folded, body, search)`,
    [
      tenantId,
      groups.map((group) => group.id),
      rows.map((row) => row.displayName),
      rows.map((row) => row.displayNameFolded),
      rows.map((row) => row.body),
      rows.map((row) => row.search),
    ],
  );
  await client.query(
    `insert into group_member (tenant_id, group_id, user_id)
     select $1, g.id, u.id
     from unnest($2::uuid[], $3::integer[]) as g (id, members),
          lateral (select id from scim_user where tenant_id = $1 order by id limit g.members) as u`,
    [tenantId, groups.map((group) => group.id), groups.map((group) => group.members)],
  );
}
