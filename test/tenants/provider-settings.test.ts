import t from 'tap';
import { DEFAULT_SETTINGS } from '../../src/tenants/identity-providers.ts';
import { changedSettings } from '../../src/tenants/provider-settings.ts';

t.test(
  'an issuer on this machine is taken by http only where that is allowed, and no other host is',
  async (t) => {
    const read = (issuer: string, allowLoopback: boolean) => () =>
      changedSettings(
        DEFAULT_SETTINGS,
        { oidc: { issuer, audience: 'us' } },
        { kind: 'oidc', allowLoopback },
      );
    for (const issuer of ['http://localhost:9000', 'http://127.0.0.1:9000/a', 'http://[::1]/']) {
      t.equal(read(issuer, true)().oidc?.issuer, issuer);
      t.throws(read(issuer, false), { message: /^\/oidc\/issuer is no URL/ });
    }
    for (const issuer of [
      'http://idp.example',
      'http://localhost.example',
      'http://127.0.0.1@idp.example/',
    ]) {
      t.throws(read(issuer, true), { message: /^\/oidc\/issuer is no URL/ });
    }
    t.equal(read('https://idp.example', false)().oidc?.issuer, 'https://idp.example');
  },
);
