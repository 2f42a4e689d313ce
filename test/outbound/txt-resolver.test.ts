import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { openTxtResolver } from '../../src/outbound/txt-resolver.ts';

/** A DNS server that answers each question with one text of several strings, or with a code (RFC 1035 section 4). */
async function dnsServer(t: Test, answerOf: (name: string) => readonly string[] | number): Promise<string> {
  const server: Socket = createSocket('udp4');
  server.on('message', (query, { port, address }) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const question = query.subarray(12, at + 5);
    const answer = answerOf(labels.join('.').toLowerCase());
    const code = typeof answer === 'number' ? answer : 0;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(typeof answer === 'number' ? 0 : 1, 6);
    server.send(
      Buffer.concat([header, question, ...(typeof answer === 'number' ? [] : [recordOf(answer)])]),
      port,
      address,
    );
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${server.address().port}`;
}

function recordOf(strings: readonly string[]): Buffer {
  const texts = Buffer.concat(
    strings.map((each) => Buffer.concat([Buffer.of(each.length), Buffer.from(each)])),
  );
  // A pointer to the name of the question, TXT, IN, a TTL of 0.
  const head = Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(texts.length, 10);
  return Buffer.concat([head, texts]);
}

const NXDOMAIN = 3;
const REFUSED = 5;

t.test('the strings of a record are one text, and a name without records has none', async (t) => {
  const server = await dnsServer(t, (name) => (name === 'there.example' ? ['rollcall-', 'x=1'] : NXDOMAIN));
  const resolveTxt = openTxtResolver([server]);
  t.same(await resolveTxt('there.example'), ['rollcall-x=1']);
  t.same(await resolveTxt('nowhere.example'), []);
});

t.test('a server that cannot tell is no server that says no', async (t) => {
  const resolveTxt = openTxtResolver([await dnsServer(t, () => REFUSED)]);
  await t.rejects(resolveTxt('there.example'), { code: 'unavailable', reason: 'dns_unavailable' });
});
