import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { readPostmaster } from '../src/db/embedded/postmaster.ts';
import { startEmbedded } from '../src/db/embedded/server.ts';
import type { Scratch } from './processes.ts';

/** The one PostgreSQL server of a run: embedded, with the settings of production, so that every commit waits for the disk. */
export interface Postgres {
  readonly pid: number;
  /** Makes a database and says how pg reaches it. */
  createDatabase(name: string): Promise<string>;
}

export async function startPostgres({ folder, ending }: Scratch): Promise<Postgres> {
  const server = await startEmbedded({ dataDir: folder, log: pino({ level: 'warn' }) });
  ending.onEnd(() => server.stop());
  ending.asked.throwIfAborted();
  const { user, database, host } = server.connection;
  // Some only read it with a host in its place; what counts is the folder of the socket.
  const connectionString = (name: string) =>
    `postgres://${user}@localhost/${name}?host=${encodeURIComponent(host)}`;
  const postmaster = await readPostmaster(join(folder, 'postgres'));
  if (!postmaster) throw new Error('The PostgreSQL server has ended');
  return {
    pid: postmaster.pid,
    createDatabase: async (name) => {
      await query(connectionString(database), `create database ${name}`);
      return connectionString(name);
    },
  };
}

/** Runs statements one after the other on a connection of their own. */
export async function query(connectionString: string, ...statements: readonly string[]): Promise<void> {
  await withClient(connectionString, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

export async function withClient<Answer>(
  connectionString: string,
  work: (client: pg.Client) => Promise<Answer>,
): Promise<Answer> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return work(client).finally(() => client.end());
}
