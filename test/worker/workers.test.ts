import t from 'tap';
import { startWorkers } from '../../src/worker/workers.ts';
import { startApp, type TestApp } from '../support/app.ts';

/** How many records of clients are in the database: counters and refusals. */
async function recordsIn({ context }: TestApp): Promise<number> {
  const { rows } = await context.db.pool.query<{ count: number }>(
    'select (select sum(count) from tolerance_use)::int + (select count(*) from refused_request)::int as count',
  );
  return rows[0]?.count ?? 0;
}

t.test('what clients lean on and stumble over is written by the workers, and by their end', async (t) => {
  const app = await startApp(t);
  const key = await app.scimKey(await app.createTenant());
  const act = async () => {
    await app.send('GET', '/api/scim/v2/Users/', { key });
    await app.send('GET', '/api/scim/v2/Users/nobody', { key });
  };
  await act();
  const workers = startWorkers(app.context, { ...app, dailyResync: 'off' });
  while ((await recordsIn(app)) < 2);
  await act();
  await workers.stop();
  t.equal(await recordsIn(app), 4);
});
