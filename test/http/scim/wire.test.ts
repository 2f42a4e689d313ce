import { readdirSync } from 'node:fs';
import t from 'tap';
import { startApp } from '../../support/app.ts';
import { playWire } from '../../support/wire.ts';

// Compiled tests run from dist/test; the flows stay where they are.
const FLOWS = new URL('../../../../test/wire/', import.meta.url);
const STEPS = 183;

t.test('every recorded step of Okta and Entra ID gets the answer that the client needs', async (t) => {
  const { app, admin, createTenant, scimKey } = await startApp(t);
  const baseUrl = `${await app.listen({ port: 0, host: '127.0.0.1' })}/api/scim/v2`;
  const tenant = await createTenant();
  // What Okta discovers as entitlements.
  await admin('POST', `/tenants/${tenant.id}/teams`, { name: 'Incident Response' });
  await admin('POST', `/tenants/${tenant.id}/teams`, { name: 'Fraud', kind: 'case_group' });
  const key = await scimKey(tenant);
  let played = 0;
  for (const file of readdirSync(FLOWS).filter((name) => name.endsWith('.json'))) {
    for (const { title, problems } of await playWire(new URL(file, FLOWS), baseUrl, key)) {
      t.same(problems, [], title);
      played += 1;
    }
  }
  t.equal(played, STEPS, 'no step is left out');
});
