import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { ResolveAddresses } from '../../src/outbound/address-resolver.ts';
import { isLoopback, isPublic } from '../../src/outbound/addresses.ts';
import { OutboundError, openOutbound } from '../../src/outbound/outbound.ts';
import { keyPair } from '../support/certificates.ts';

/** S36: what is fetched, from where, and how much of it. */

const outbound = openOutbound({ allowLoopback: false });
const local = openOutbound({ allowLoopback: true });

/** Why a fetch failed. */
async function refusalOf(fetched: Promise<unknown>): Promise<OutboundError> {
  try {
    await fetched;
  } catch (error) {
    if (error instanceof OutboundError) return error;
    throw error;
  }
  throw new Error('it was fetched');
}

async function listen(t: Test, server: Server): Promise<string> {
  t.teardown(() => {
    server.close();
    if (server instanceof http.Server) server.closeAllConnections();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `localhost:${(server.address() as AddressInfo).port}`;
}

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '172.15.0.1',
  '172.32.0.1',
  '192.0.1.1',
  '223.255.255.255',
];
const PUBLIC_IPV6 = ['2606:4700::1111', '2001:4860:4860::8888', '2a00:1450::1', '2003::1', '3ffe::1'];
const NOT_PUBLIC = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
];
const NOT_PUBLIC_IPV6 = [
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:0:8.8.8.8',
  '64:ff9b::7f00:1',
  '64:ff9b::808:808',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:808:808::',
  '3fff::1',
  '3fff:fff::1',
  '4000::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fec0::1',
  'ff02::1',
];

t.test('which addresses are public', async (t) => {
  for (const address of [...PUBLIC, ...PUBLIC_IPV6]) t.equal(isPublic(address), true, address);
  for (const address of [...NOT_PUBLIC, ...NOT_PUBLIC_IPV6]) t.equal(isPublic(address), false, address);
  for (const text of [
    '',
    'localhost',
    '1',
    '8.8.8',
    '8.8.8.8/32',
    ' 8.8.8.8',
    'fe80::1%eth0',
    '::1%lo',
    '[::1]',
  ]) {
    t.equal(isPublic(text), false, text);
  }
  for (const address of ['127.0.0.1', '127.1.2.3', '::1']) t.equal(isLoopback(address), true, address);
  for (const text of ['::', '0.0.0.0', '128.0.0.1', 'localhost', '']) t.equal(isLoopback(text), false, text);
});

/** A resolver that nobody may ask. */
const neverAsked: ResolveAddresses = () => {
  throw new Error('a name was looked up');
};

t.test('no URL leads to an address that is not public, however it is spelled', async (t) => {
  const { fetchText } = openOutbound({ allowLoopback: false, resolve: neverAsked });
  const hosts = [
    ...NOT_PUBLIC,
    ...NOT_PUBLIC_IPV6.map((address) => `[${address}]`),
    '127.1',
    '127.0.1',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    '017700000001',
    '2130706433',
    '127.0.0.1.',
    '0',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '%31%32%37.0.0.1',
    '0xa9fea9fe',
    '2852039166',
    '[::ffff:a9fe:a9fe]',
    '[0:0:0:0:0:0:0:1]',
  ];
  for (const host of hosts) {
    t.equal((await refusalOf(fetchText(`https://${host}/jwks`))).reason, 'address', host);
  }
});

t.test('only https URLs on port 443 are fetched, without credentials', async (t) => {
  const { fetchText } = openOutbound({ allowLoopback: false, resolve: neverAsked });
  const urls = [
    'http://idp.example/',
    'https://idp.example:8443/',
    'https://idp.example:80/',
    'https://user@idp.example/',
    'https://user:secret@idp.example/',
    'https://:secret@idp.example/',
    'ftp://idp.example/',
    'file:///etc/passwd',
    'data:application/json,{}',
    'javascript:1',
    'blob:https://idp.example/1',
    'gopher://127.0.0.1:6379/_INFO',
    'unix:/var/run/docker.sock',
    '//idp.example/',
    '/jwks',
    'idp.example',
    'https://',
    'https://[::1',
    'https://[fe80::1%25eth0]/',
    'https://256.0.0.1/',
    '',
  ];
  for (const url of urls) {
    const refusal = await refusalOf(fetchText(url));
    t.equal(refusal.reason, 'url', url);
    t.notMatch(refusal.message, /secret/);
  }
});

/** A resolver that answers with these addresses, and counts how often it is asked. */
function answering(addresses: readonly string[]) {
  const asked: string[] = [];
  const resolve: ResolveAddresses = async (host) => {
    asked.push(host);
    return addresses;
  };
  return { asked, resolve };
}

t.test('a name is refused when any of its addresses is not public', async (t) => {
  const answers = [
    ...[...NOT_PUBLIC, ...NOT_PUBLIC_IPV6].map((address) => [address]),
    ['8.8.8.8', '10.0.0.1'],
    ['2606:4700::1111', '8.8.8.8', '::1'],
    [],
  ];
  for (const addresses of answers) {
    const { resolve, asked } = answering(addresses);
    const refusal = await refusalOf(
      openOutbound({ allowLoopback: false, resolve }).fetchText('https://idp.example/jwks?secret=1'),
    );
    t.equal(refusal.reason, 'address', addresses.join());
    t.equal(
      refusal.message,
      'https://idp.example/jwks is not fetched: its host is not on the public Internet',
    );
    t.strictSame(asked, ['idp.example'], 'by the one look-up of the connection');
  }
});

t.test('with loopback allowed only what says so is loopback, and nothing else is more', async (t) => {
  const { resolve } = answering(['127.0.0.1']);
  const refusals: [url: string, reason: string][] = [
    ['https://idp.example/', 'address'],
    ['http://idp.example/', 'url'],
    ['https://idp.example:8443/', 'url'],
    ['http://localhost.example/', 'url'],
    ['http://10.0.0.1/', 'url'],
    ['https://10.0.0.1/', 'address'],
    ['ftp://localhost/', 'url'],
    ['http://user@localhost/', 'url'],
  ];
  for (const [url, reason] of refusals) {
    t.equal(
      (await refusalOf(openOutbound({ allowLoopback: true, resolve }).fetchText(url))).reason,
      reason,
      url,
    );
  }
});

t.test('localhost is this machine, whatever DNS says, and nobody is asked', async (t) => {
  const host = await listen(
    t,
    http.createServer((_, reply) => void reply.end('here')),
  );
  const { fetchText } = openOutbound({ allowLoopback: true, resolve: neverAsked });
  t.equal(await fetchText(`http://${host}/`), 'here');
  const { fetchText: fetchPublic, requireFetchable } = openOutbound({
    allowLoopback: false,
    resolve: neverAsked,
  });
  t.equal((await refusalOf(fetchPublic('https://localhost/'))).reason, 'address');
  t.throws(() => requireFetchable('https://localhost/'), {
    name: 'OutboundError',
    message: /public Internet/,
  });
});

t.test('a reply is read as text or JSON', async (t) => {
  const requests: http.IncomingHttpHeaders[] = [];
  const host = await listen(
    t,
    http.createServer((request, reply) => {
      requests.push(request.headers);
      reply.end(request.url === '/json' ? '{"a":"é"}' : 'é');
    }),
  );
  t.equal(await local.fetchText(`http://${host}/`), 'é');
  t.strictSame(await local.fetchJson(`http://${host}/json`), { a: 'é' });
  t.strictSame(await local.fetchJson(`http://127.0.0.1:${host.split(':')[1]}/json`), { a: 'é' });
  t.match(requests[1], { accept: 'application/json', 'accept-encoding': 'identity', connection: 'close' });
  t.equal((await refusalOf(local.fetchJson(`http://${host}/`))).reason, 'malformed');
  t.equal((await refusalOf(outbound.fetchText(`http://${host}/`))).reason, 'url');
  t.equal((await refusalOf(outbound.fetchText('https://localhost/'))).reason, 'address');
});

t.test('a server that does not answer as it should', async (t) => {
  const behaviours: [reason: string, answer: http.RequestListener][] = [
    ['status', (_, reply) => reply.writeHead(302, { location: '/elsewhere' }).end()],
    ['status', (_, reply) => reply.writeHead(307, { location: 'https://idp.example' }).end('{}')],
    ['status', (_, reply) => reply.writeHead(503).end('{}')],
    ['status', (_, reply) => reply.writeHead(204).end()],
    ['status', (_, reply) => reply.writeHead(206).end('{}')],
    ['malformed', (_, reply) => reply.writeHead(200, { 'content-encoding': 'gzip' }).end('x')],
    ['malformed', (_, reply) => reply.end(Buffer.from([0xc0, 0xaf]))],
    ['malformed', (_, reply) => reply.end('<html>')],
    ['malformed', (_, reply) => reply.end('')],
    ['too_large', (_, reply) => reply.end(`"${'x'.repeat(256 * 1024)}"`)],
    ['too_large', (_, reply) => void endless(reply)],
    [
      'unreachable',
      (_, reply) => void reply.writeHead(200, { 'content-length': 9 }).write('{}', () => reply.destroy()),
    ],
    ['unreachable', (request) => request.socket.destroy()],
    ['unreachable', (_, reply) => reply.writeHead(200, { 'x-long': 'x'.repeat(20_000) }).end('{}')],
    [
      'unreachable',
      (request) =>
        request.socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ],
    ['unreachable', (request) => request.socket.end('SSH-2.0-OpenSSH_9.6\r\n')],
    ['timeout', () => {}],
    ['timeout', (_, reply) => void reply.writeHead(200).write('{')],
    ['timeout', (request) => void request.socket.write('HTTP/1.1 200 OK\r\nx-slow: ')],
  ];
  for (const [index, [reason, answer]] of behaviours.entries()) {
    let asked = 0;
    const server = http.createServer((request, reply) => {
      asked += 1;
      answer(request, reply);
    });
    const host = await listen(t, server);
    const limits = reason === 'timeout' ? { timeoutMs: 100 } : {};
    const refusal = await refusalOf(local.fetchJson(`http://${host}/jwks?secret=1`, limits));
    t.equal(refusal.reason, reason, `behaviour ${index}: ${refusal.message}`);
    t.notMatch(refusal.message, /secret|127\.0\.0\.1|elsewhere/);
    t.equal(asked, 1);
  }
});

/** Writes for as long as somebody reads. */
async function endless(reply: http.ServerResponse): Promise<void> {
  while (!reply.destroyed) {
    if (!reply.write('x'.repeat(65_536))) await Promise.race([once(reply, 'drain'), once(reply, 'close')]);
  }
}

t.test('limits are exact', async (t) => {
  const host = await listen(
    t,
    http.createServer((_, reply) => void reply.end('1234567890')),
  );
  t.equal(await local.fetchText(`http://${host}/`, { maxBytes: 10 }), '1234567890');
  t.equal((await refusalOf(local.fetchText(`http://${host}/`, { maxBytes: 9 }))).reason, 'too_large');
});

t.test('what nobody listens on, and a name that nobody knows', async (t) => {
  const server = createServer();
  const host = await listen(t, server);
  server.close();
  await once(server, 'close');
  const refusal = await refusalOf(local.fetchText(`http://${host}/`));
  t.equal(refusal.reason, 'unreachable');
  t.equal(refusal.message, `http://${host}/ could not be fetched: ECONNREFUSED`);
  const resolve = () => Promise.reject(Object.assign(new Error('queryA'), { code: 'ENOTFOUND' }));
  const { fetchText } = openOutbound({ allowLoopback: false, resolve });
  t.match(await refusalOf(fetchText('https://idp.example/')), {
    reason: 'unreachable',
    message: 'https://idp.example/ could not be fetched: ENOTFOUND',
  });
});

t.test('a certificate that is not trusted is refused, whatever the environment says', async (t) => {
  const { certificate: cert, privateKey: key } = keyPair({ commonName: 'localhost' });
  const host = await listen(
    t,
    https.createServer({ cert, key }, (_, reply) => void reply.end('{}')),
  );
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-outbound-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'ca.pem'), cert);
  const module = new URL('../../src/outbound/outbound.js', import.meta.url);
  const script = `const { openOutbound } = await import(${JSON.stringify(module)});
    const { fetchText } = openOutbound({ allowLoopback: true });
    console.log(await fetchText('https://${host}/').catch(({ message }) => message));`;
  const outcome = async (environment: Record<string, string>) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      env: environment,
    });
    return stdout.trim();
  };
  const refused = `https://${host}/ could not be fetched: DEPTH_ZERO_SELF_SIGNED_CERT`;
  t.equal(await outcome({}), refused);
  t.equal(await outcome({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }), refused);
  const trusting = { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
  t.equal(await outcome(trusting), '{}');
  const proxy = 'http://127.0.0.1:1';
  const proxied = {
    ...trusting,
    NODE_USE_ENV_PROXY: '1',
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    ALL_PROXY: proxy,
  };
  t.equal(await outcome(proxied), '{}', 'no proxy of the environment is asked');
});
