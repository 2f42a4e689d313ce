import { fileURLToPath } from 'node:url';
import type { Point } from '../cases/case.ts';
import { patchGroup } from '../cases/group.ts';
import { getUser } from '../cases/read.ts';
import { postUser } from '../cases/write.ts';
import type { Contestant, Directory } from '../contestant.ts';
import { groupNamed, numbersIn, type Population, populationOf, userId, userOf } from '../population.ts';
import { type Postgres, query, withClient } from '../postgres.ts';
import { launch, messageOf, type Running, type Scratch } from '../processes.ts';
import type { Entry } from '../rounds.ts';
import { driverWorkload, type Workload } from '../workload.ts';
import { FILL, FILL_CIRCLE, type Floor, TABLES } from './statements.ts';

/** What stands beside the service in each round: the floors by HTTP, and the ceiling of the driver. */

export interface Anchors {
  /** What stands beside a case whose least is this, in a directory of so many users, or in its group of so many members. */
  entries(floor: Floor, point: Point): Entry[];
}

const fileOf = (name: string) => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

/** Starts the anchors over these people, each of whom there is once. */
export async function startAnchors(
  scratch: Scratch,
  postgres: Postgres,
  populations: readonly Population[],
): Promise<Anchors> {
  const DATABASE_URL = await postgres.createDatabase('anchors');
  await query(DATABASE_URL, ...TABLES);
  for (const population of populations) await fill(DATABASE_URL, population);
  await query(DATABASE_URL, 'vacuum (analyze)');
  const env = { DATABASE_URL };
  const http = await launch(scratch, { name: 'floor', file: fileOf('http'), env });
  const { port } = await messageOf<{ port: number }>(http);
  const driver = await launch(scratch, { name: 'driver', file: fileOf('driver'), env });
  await messageOf(driver);
  const anchor = ({ name, pid }: Running): Contestant => ({ name, kind: 'anchor', pid, usesPostgres: true });
  const directory = {
    contestant: anchor(http),
    origin: `http://127.0.0.1:${port}`,
    path: '',
    key: '',
    cannot: {},
  };
  return {
    entries(floor, { users, members }) {
      const population = populationOf(users);
      const group = groupNamed(population, members === undefined ? 'Crowded' : `Members ${members}`);
      const ways: Readonly<Record<Floor, (directory: Directory) => Workload>> = {
        select: getUser,
        insert: postUser,
        member: (asked) => patchGroup(asked, group),
      };
      const order = { statement: floor, users, group: group.id };
      return [
        { contestant: anchor(http), workload: ways[floor]({ ...directory, population }) },
        { contestant: anchor(driver), workload: driverWorkload(driver, order) },
      ];
    },
  };
}

async function fill(connectionString: string, population: Population): Promise<void> {
  await withClient(connectionString, async (client) => {
    for (const numbers of numbersIn(population.users)) {
      const ids = numbers.map((n) => userId(population, n));
      const bodies = numbers.map((n) => JSON.stringify(userOf(population, n)));
      await client.query({ ...FILL, values: [ids, bodies] });
    }
    for (const { id, members } of population.groups) {
      const ids = Array.from({ length: members }, (_, n) => userId(population, n));
      await client.query({ ...FILL_CIRCLE, values: [id, ids] });
    }
  });
}
