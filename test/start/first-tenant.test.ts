import t from 'tap';
import { FIRST_TENANT, makeFirstTenant } from '../../src/start/first-tenant.ts';
import { startApp } from '../support/app.ts';

t.test('the first tenant comes with a key that works, and only once', async (t) => {
  const { context, send } = await startApp(t);
  const key = await makeFirstTenant(context);
  t.equal((await send('GET', '/api/scim/v2/Users', { key: String(key) })).status, 200);
  t.equal(await makeFirstTenant(context), undefined);
});

t.test(
  'a start that fails before the key is issued leaves nothing, and the next one makes both',
  async (t) => {
    const { context, admin } = await startApp(t);
    const { pool } = context.db;
    await pool.query('alter table api_key rename to hidden');
    await t.rejects(makeFirstTenant(context));
    await pool.query('alter table hidden rename to api_key');
    t.equal((await admin('GET', `/tenants/${FIRST_TENANT}`)).status, 404);
    t.type(await makeFirstTenant(context), 'string');
  },
);
