import t from 'tap';
import { openTxtResolver } from '../../src/outbound/txt-resolver.ts';
import { dnsServer, NXDOMAIN, REFUSED } from '../support/dns.ts';

/** The strings of one TXT record (RFC 1035 section 3.3.14). */
function texts(...strings: readonly string[]): Buffer {
  return Buffer.concat(strings.map((each) => Buffer.concat([Buffer.of(each.length), Buffer.from(each)])));
}

t.test('the strings of a record are one text, and a name without records has none', async (t) => {
  const server = await dnsServer(t, (name) =>
    name === 'there.example' ? texts('rollcall-', 'x=1') : NXDOMAIN,
  );
  const resolveTxt = openTxtResolver([server]);
  t.same(await resolveTxt('there.example'), ['rollcall-x=1']);
  t.same(await resolveTxt('nowhere.example'), []);
});

t.test('a server that cannot tell is no server that says no', async (t) => {
  const resolveTxt = openTxtResolver([await dnsServer(t, () => REFUSED)]);
  await t.rejects(resolveTxt('there.example'), { code: 'unavailable', reason: 'dns_unavailable' });
});
