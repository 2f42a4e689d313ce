import { fileURLToPath } from 'node:url';
import { getUser } from '../cases/read.ts';
import { postUser } from '../cases/write.ts';
import type { Contestant } from '../contestant.ts';
import { numbersIn, type Population, populationOf, userId, userOf } from '../population.ts';
import { type Postgres, query, withClient } from '../postgres.ts';
import { launch, messageOf, type Running, type Scratch } from '../processes.ts';
import type { Entry } from '../rounds.ts';
import { driverWorkload } from '../workload.ts';
import { FILL, TABLES } from './statements.ts';

/** What stands beside the service in each round: the floors by HTTP, and the ceiling of the driver. */

export interface Anchors {
  /** What stands beside a case whose least is a read, or a write, in a directory of so many users. */
  entries(floor: 'select' | 'insert', users: number): Entry[];
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
    entries(floor, users) {
      const asked = { ...directory, population: populationOf(users) };
      return [
        { contestant: anchor(http), workload: floor === 'select' ? getUser(asked) : postUser(asked) },
        { contestant: anchor(driver), workload: driverWorkload(driver, floor, users) },
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
  });
}
