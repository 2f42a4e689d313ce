import t from 'tap';
import { openOutbound } from '../../src/outbound/outbound.ts';
import { DEFAULT_SETTINGS } from '../../src/tenants/identity-providers.ts';
import { changedSettings } from '../../src/tenants/provider-settings.ts';

t.test(
  'an issuer on this machine is taken by http only where that is allowed, and no other host is',
  async (t) => {
    const read = (issuer: string, allowLoopback: boolean) => () =>
      changedSettings(
        DEFAULT_SETTINGS,
        { oidc: { issuer, audience: 'us' } },
        { kind: 'oidc', outbound: openOutbound({ allowLoopback }) },
      );
    for (const issuer of ['http://localhost:9000', 'http://127.0.0.1:9000/a', 'http://[::1]/']) {
      t.equal(read(issuer, true)().oidc?.issuer, issuer);
      t.throws(read(issuer, false), { message: /is not fetched: only https/ });
    }
    for (const issuer of ['http://idp.example', 'http://localhost.example']) {
      t.throws(read(issuer, true), { message: /is not fetched: only https/ });
    }
    t.throws(read('http://127.0.0.1@idp.example/', true), { message: /^\/oidc\/issuer is no URL/ });
    t.equal(read('https://idp.example', false)().oidc?.issuer, 'https://idp.example');
  },
);
