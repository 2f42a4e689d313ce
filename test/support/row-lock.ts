import pg from 'pg';
import type { Test } from 'tap';
import type { TestApp } from './app.ts';

/** Locks a row in a transaction of its own, so that whoever writes it waits. */
export async function lockOf(
  t: Test,
  { connectionString }: TestApp,
  table: string,
  id: string,
): Promise<pg.Client> {
  const holder = new pg.Client({ connectionString });
  await holder.connect();
  t.teardown(() => holder.end());
  await holder.query('begin');
  await holder.query(`select from ${table} where id = $1 for update`, [id]);
  return holder;
}
