import { userId } from '../population.ts';
import { withClient } from '../postgres.ts';
import { changeMapping, mappingOf, type Tenant } from '../service.ts';
import { latencyOf } from '../statistics.ts';
import type { Workload } from '../workload.ts';
import { type OwnCase, one } from './case.ts';

/** A change of the group mapping that changes the role of everybody, from the request until the last one has it. */

const ROLES = ['EDITOR', 'VIEWER'];

/** Whether all have the role who are shown first and last. */
async function holds({ population, contestant, id }: Tenant, role: string): Promise<boolean> {
  interface Page {
    readonly members: readonly { readonly role: string }[];
  }
  const { displayName } = population.everybody;
  const teams = `/${id}/teams`;
  const found = await contestant.administer<{ teams: { id: string }[] }>(
    'GET',
    `${teams}?name=${displayName}`,
  );
  const members = `${teams}/${found.teams[0]?.id}/members`;
  const first = await contestant.administer<Page>('GET', members);
  const late = userId(population, population.users - 50);
  const last = await contestant.administer<Page>('GET', `${members}?after=${late}`);
  const shown = [...first.members, ...last.members];
  return last.members.length > 0 && shown.every((member) => member.role === role);
}

/** As the table calls it. */
export const WAL = 'bytes of WAL per user';

/** How many bytes the server has written to its log so far, for whomever. */
const walOf = ({ contestant }: Tenant): Promise<number> =>
  withClient(contestant.connectionString, async (client) => {
    const { rows } = await client.query(`select pg_current_wal_lsn() - '0/0' as bytes`);
    return Number(rows[0].bytes);
  });

export function mappingChanges(tenant: Tenant): Workload {
  let turn = 0;
  return {
    async run(_connections, _milliseconds, begun) {
      const role = ROLES[turn % ROLES.length] ?? '';
      turn += 1;
      const row = { group_name: 'Everybody', team_name: 'Everybody', role_name: role };
      const before = await walOf(tenant);
      const begin = performance.now();
      begun?.();
      await changeMapping(tenant.contestant, tenant.id, mappingOf(row));
      const milliseconds = performance.now() - begin;
      const wal = ((await walOf(tenant)) - before) / tenant.population.users;
      const check = async () => ((await holds(tenant, role)) ? undefined : `Not everybody is ${role}`);
      return {
        milliseconds,
        count: 1,
        failures: 0,
        check,
        also: { [WAL]: wal },
        ...latencyOf([milliseconds]),
      };
    },
    close: async () => {},
  };
}

export const MAPPING_CASES: readonly OwnCase[] = [
  {
    of: 'rollcall',
    name: 'mapping-change',
    quick: true,
    title: 'a mapping change that changes the role of all users',
    others: 'no peer derives access from groups',
    // The one target that is about a million users is measured in every run that has time for it.
    points: ({ users, mapped }) => [...users, ...mapped].map((each) => ({ users: each })),
    connections: one,
    prepare: mappingChanges,
  },
];
