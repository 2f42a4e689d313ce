import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { openAddressResolver } from '../../src/outbound/address-resolver.ts';
import { openOutbound } from '../../src/outbound/outbound.ts';
import { A, AAAA, dnsServer, NXDOMAIN, REFUSED } from '../support/dns.ts';

const IPV4 = Buffer.from([8, 8, 8, 8]);
const IPV6 = Buffer.from('26064700000000000000000000001111', 'hex');

t.test('a host has all its addresses of both kinds', async (t) => {
  const server = await dnsServer(t, (name, type) => {
    if (type === A) return name === 'six.example' ? REFUSED : name === 'none.example' ? NXDOMAIN : IPV4;
    return type === AAAA && name !== 'four.example' && name !== 'none.example' ? IPV6 : NXDOMAIN;
  });
  const resolve = openAddressResolver([server]);
  const { signal } = new AbortController();
  t.same(await resolve('both.example', signal), ['8.8.8.8', '2606:4700::1111']);
  t.same(await resolve('four.example', signal), ['8.8.8.8']);
  t.same(await resolve('six.example', signal), ['2606:4700::1111'], 'one kind that fails hides no other');
  await t.rejects(resolve('none.example', signal), { code: 'ENOTFOUND' });
});

t.test('a DNS that is silent is not asked beyond the deadline of the fetch', async (t) => {
  const server = await dnsServer(t, () => undefined);
  const { fetchText } = openOutbound({ allowLoopback: false, resolve: openAddressResolver([server]) });
  const refused = fetchText('https://idp.example/jwks', { timeoutMs: 50 });
  await t.rejects(refused, { name: 'OutboundError', message: /did not answer within 50 ms/ });
  await turn();
  t.notOk(process.getActiveResourcesInfo().includes('QueryReqWrap'), 'nobody is asked any more');
});

t.test('names of identity providers take none of the threads that other look-ups need', async (t) => {
  const begun: string[] = [];
  const hook = createHook({ init: (_, type) => void begun.push(type) }).enable();
  t.teardown(() => hook.disable());
  const { fetchText } = openOutbound({ allowLoopback: false });
  await t.rejects(fetchText('https://idp.invalid/jwks', { timeoutMs: 50 }));
  t.ok(begun.includes('QUERYWRAP'), 'DNS is asked');
  t.notOk(begun.includes('GETADDRINFOREQWRAP'), 'and not by a thread');
});

t.test('a deadline that passes ends the questions of its own fetch alone', async (t) => {
  const asked = new EventTarget();
  const server = await dnsServer(t, (name, type) => {
    if (name === 'silent.example') return void (type === A && asked.dispatchEvent(new Event('asked')));
    return type === A ? IPV4 : NXDOMAIN;
  });
  const resolve = openAddressResolver([server]);
  const deadline = new AbortController();
  const begun = once(asked, 'asked');
  const silent = resolve('silent.example', deadline.signal);
  await begun;
  const other = resolve('there.example', new AbortController().signal);
  deadline.abort();
  await t.rejects(silent, { code: 'ECANCELLED' });
  t.same(await other, ['8.8.8.8']);
});
