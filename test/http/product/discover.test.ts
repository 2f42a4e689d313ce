import t from 'tap';
import type { SettingsChange } from '../../../src/tenants/settings.ts';
import { startApp } from '../../support/app.ts';
import { makeProvider } from '../../support/gateway.ts';

const app = await startApp(t);
const { key } = await app.serviceKey(['read']);

interface Body {
  readonly tenants: readonly {
    readonly tenant: { readonly id: string };
    readonly identityProviders: readonly { readonly name: string }[];
    readonly emailJit: boolean;
  }[];
}
const discover = (email: string) =>
  app.send<Body>('GET', `/api/v1/discover?email=${encodeURIComponent(email)}`, { key });

/** A tenant that has the domain, verified unless it says otherwise. */
async function owner(name: string, domain: object = {}, settings: SettingsChange = {}, verified = true) {
  const tenant = await app.createTenant(settings);
  const path = `/tenants/${tenant.id}/domains`;
  await app.admin('POST', path, { name, ...domain });
  if (verified) await app.admin('POST', `${path}/${name}/verify`, { by: 'operator' });
  return tenant;
}

t.test('an address leads to the tenants that have proved its domain, and to no other', async (t) => {
  const [one, other] = [await owner('acme.example', { jit: true }), await owner('acme.example')];
  await owner('acme.example', { jit: true }, {}, false);
  await owner('sub.acme.example');
  const { status, body } = await discover('Ada@ACME.example');
  t.equal(status, 200);
  const expected = [one, other].sort((left, right) => (left.name < right.name ? -1 : 1));
  t.same(
    body.tenants,
    expected.map(({ id, name }) => ({
      tenant: { id, name, displayName: null },
      domain: 'acme.example',
      identityProviders: [],
      emailJit: id === one.id,
    })),
  );
});

t.test(
  'a domain that is bound to an identity provider names that one alone, and lets in nobody by e-mail',
  async (t) => {
    const { id } = await owner('bound.example', { jit: true });
    await makeProvider(app, id, { name: 'entra', kind: 'saml' });
    await makeProvider(app, id, { name: 'okta' });
    await makeProvider(app, id, { name: 'old', enabled: false });
    const shown = async () => (await discover('ada@bound.example')).body.tenants;
    t.match(await shown(), [
      { identityProviders: [{ name: 'entra', kind: 'saml' }, { name: 'okta' }], emailJit: true },
    ]);
    t.equal((await shown())[0]?.identityProviders.length, 2);
    await makeProvider(app, id, { name: 'ping', kind: 'saml', domain: 'bound.example' });
    const [bound] = await shown();
    t.same(bound?.identityProviders, [{ name: 'ping', displayName: null, kind: 'saml' }]);
    t.equal(bound?.emailJit, false);
  },
);

t.test('where SCIM alone provisions nobody comes in by e-mail', async (t) => {
  await owner('scim.example', { jit: true }, { provisioning: 'scim' });
  t.match((await discover('ada@scim.example')).body.tenants, [{ emailJit: false }]);
});

t.test('who is there and who is not cannot be told from the answer', async (t) => {
  const tenant = await owner('quiet.example');
  await app.admin('POST', `/tenants/${tenant.id}/users`, {
    userName: 'ada@quiet.example',
    email: 'ada@quiet.example',
  });
  t.same((await discover('ada@quiet.example')).text, (await discover('nobody@quiet.example')).text);
  for (const email of ['nobody@nowhere.example', 'nobody', '@', 'a@b', 'x@*.example', 'x@192.0.2.1']) {
    t.match(await discover(email), { status: 200, text: '{"tenants":[]}' }, email);
  }
});

t.test("a tenant's own key sees its tenant only, and does not ask over all", async (t) => {
  const { key: own } = await app.apiKey(await app.createTenant(), ['read']);
  t.match(await app.send('GET', '/api/v1/discover?email=a@b.example', { key: own }), {
    status: 403,
    body: { reason: 'service_key_only' },
  });
  t.equal((await app.send('GET', '/api/v1/discover', { key })).status, 400);
});
