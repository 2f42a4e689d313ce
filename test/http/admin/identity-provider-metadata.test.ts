import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { type AnyBody, startApp } from '../../support/app.ts';
import { certificate, EC_CERTIFICATE, idpMetadata } from '../../support/certificates.ts';
import { newWorld } from '../../support/world.ts';

/** Issuer and certificates from an identity provider's SAML metadata. */

const app = await startApp(t);
const PEM = certificate();
const SAML = { audience: 'urn:us', acsUrl: 'https://us.example/acs' };

async function newProvider(kind = 'saml', instance = app) {
  const world = await newWorld(instance);
  const saml = kind === 'saml' ? { saml: SAML } : {};
  await world.ask('POST', '/identity-providers', { name: 'okta', kind, jit: 'off', ...saml });
  const path = `/api/admin/v1/tenants/${world.tenant.id}/identity-providers/okta`;
  const post = (xml: string, query = '', type = 'application/samlmetadata+xml') =>
    instance.send<AnyBody>('POST', `${path}/metadata${query}`, {
      key: instance.operatorKey,
      body: xml,
      headers: { 'content-type': type },
    });
  const postUrl = (url: string, query = '') => post(JSON.stringify({ url }), query, 'application/json');
  return {
    ...world,
    post,
    postUrl,
    read: async () => (await world.ask('GET', '/identity-providers/okta')).body,
  };
}

t.test('metadata completes a provider, with all keys that sign, in every media type of XML', async (t) => {
  const successor = certificate();
  for (const type of ['application/samlmetadata+xml', 'application/xml', 'text/xml; charset=utf-8']) {
    const { post, read, feed } = await newProvider();
    t.match((await read()).warnings, [{ code: 'incomplete' }]);
    const answer = await post(`\uFEFF${idpMetadata('urn:idp', [PEM, successor, PEM])}`, '', type);
    t.match(answer, { status: 200, body: { warnings: [] } }, type);
    t.same(answer.body.saml, { ...SAML, issuer: 'urn:idp', certificates: [PEM, successor] });
    t.same(await read(), answer.body);
    t.match((await feed()).at(-1), { type: 'identity_provider.updated' });
  }
});

t.test('a dry run shows what would be taken, and takes nothing', async (t) => {
  const { post, read } = await newProvider();
  const before = await read();
  t.match(await post(idpMetadata('urn:idp', [PEM]), '?dryRun=true'), {
    status: 200,
    body: { saml: { issuer: 'urn:idp' }, plan: { remove: 0 }, shutOut: 0 },
  });
  t.same(await read(), before);
});

t.test(
  'metadata of another entity ends links, and asks first; a new key of the same one does not',
  async (t) => {
    const { post, byHand, tenant, read, ask } = await newProvider();
    t.equal((await post(idpMetadata('urn:idp', [PEM]))).status, 200);
    const ada = await byHand('ada');
    await app.context.db.pool.query(
      `insert into identity_link (tenant_id, identity_provider_id, subject, user_id, proof, linked_at, group_state, groups)
     select $1, id, '1', $2, 'matched', now(), 'absent', '{}' from identity_provider
     where tenant_id = $1`,
      [tenant.id, ada],
    );
    t.equal((await post(idpMetadata('urn:idp', [certificate()]))).status, 200);
    const other = idpMetadata('urn:other', [PEM]);
    t.match((await post(other, '?dryRun=true')).body, { unlinked: 1 });
    t.match(await post(other), { status: 409, body: { reason: 'confirm_required', confirm: 1 } });
    t.match(await read(), { saml: { issuer: 'urn:idp' } });
    t.equal((await post(other, '?links=keep')).status, 200);
    t.match((await ask('GET', `/users/${ada}`)).body, { identities: [{ subject: '1' }] });
    t.equal((await post(idpMetadata('urn:third', [PEM]), '?confirm=1')).status, 200);
    t.match((await ask('GET', `/users/${ada}`)).body, { identities: [] });
  },
);

t.test('a key for encryption alone is no key that signs, and one without a use is', async (t) => {
  const { post } = await newProvider();
  const xml = idpMetadata('urn:idp', [PEM]);
  t.match(await post(xml.replace('use="signing"', 'use="encryption"')), {
    status: 400,
    body: { reason: 'structure', detail: /no certificate/ },
  });
  t.match(await post(xml.replace(' use="signing"', '')), { status: 200 });
});

t.test('what is no metadata of one identity provider is refused with its reason', async (t) => {
  const { post, read } = await newProvider();
  const before = await read();
  const xml = idpMetadata('urn:idp', [PEM]);
  const document = xml.slice(xml.indexOf('<md:'));
  const many = Array.from({ length: 11 }, () => certificate({ bits: 2048 }));
  const cases: readonly (readonly [what: string, xml: string, body: object])[] = [
    ['no XML', 'hello', { reason: 'malformed' }],
    ['nothing', '', {}],
    ['half of it', xml.slice(0, -20), { reason: 'malformed' }],
    [
      'a DOCTYPE',
      `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>${document}`,
      { reason: 'malformed' },
    ],
    ['an entity', xml.replace('urn:idp', '&b;'), { reason: 'malformed' }],
    ['a federation', xml.replaceAll('EntityDescriptor', 'EntitiesDescriptor'), { reason: 'structure' }],
    ['another namespace', xml.replace('SAML:2.0:metadata', 'SAML:1.0:metadata'), { reason: 'structure' }],
    ['a service provider', xml.replaceAll('IDPSSO', 'SPSSO'), { reason: 'structure' }],
    ['SAML 1.1', xml.replace('SAML:2.0:protocol', 'SAML:1.1:protocol'), { reason: 'structure' }],
    ['no entity id', xml.replace(/entityID="[^"]*"/, ''), { reason: 'structure' }],
    [
      'a broken certificate',
      xml.replace(/(<ds:X509Certificate>\s*MII)/, '$1AAAA'),
      { reason: 'invalid_certificate' },
    ],
    [
      'a short key',
      idpMetadata('urn:idp', [certificate({ bits: 1024 })]),
      { reason: 'weak_certificate', pointer: '/saml/certificates/0' },
    ],
    [
      'an elliptic curve',
      idpMetadata('urn:idp', [EC_CERTIFICATE]),
      { reason: 'unsupported_key', pointer: '/saml/certificates/0' },
    ],
    [
      'another encoding',
      xml.replace('UTF-8', 'ISO-8859-1'),
      { reason: 'malformed', detail: /ISO-8859-1: save it as UTF-8/ },
    ],
    [
      'a comment in a text',
      xml.replace('<ds:X509Certificate>', '<ds:X509Certificate>A<!-- -->'),
      { reason: 'malformed' },
    ],
    ['a comment that is not closed', `<!-- ${document}`, { reason: 'malformed' }],
    ['a comment in an attribute', xml.replace('"urn:idp"', '"urn:idp> <!-- --> <"'), { reason: 'malformed' }],
    ['eleven keys', idpMetadata('urn:idp', many), { pointer: '/saml/certificates' }],
    ['deep nesting', '<a>'.repeat(100) + '</a>'.repeat(100), { reason: 'too_large' }],
  ];
  for (const [what, text, body] of cases) {
    t.match(await post(text), { status: 400, body: { code: 'invalid_request', ...body } }, what);
  }
  t.equal((await post(' '.repeat(1_100_000))).status, 413);
  t.match(await post(xml, '', 'text/html'), {
    status: 415,
    body: { detail: /application\/json or application\/samlmetadata\+xml/ },
  });
  for (const json of ['{"xml": "x"}', '{}', '[]', 'null', '5', '{"url": 5}', `{"url": "", "xml": "x"}`]) {
    t.equal((await post(json, '', 'application/json')).status, 400, json);
  }
  t.same(await read(), before, 'nothing was taken');
});

t.test('comments between elements are passed over', async (t) => {
  const { post } = await newProvider();
  const xml = idpMetadata('urn:idp', [PEM]);
  const commented = `<!-- a --> <!-- <b> & - "c" -->${xml
    .slice(xml.indexOf('<md:'))
    .replaceAll('><', '><!-- d --><')}<!-- e -->\n`;
  t.match(await post(commented), {
    status: 200,
    body: { saml: { issuer: 'urn:idp', certificates: [PEM] }, warnings: [] },
  });
});

t.test('what cannot be used of metadata, or is old, is told and stops nobody', async (t) => {
  const { post } = await newProvider();
  const xml = idpMetadata('urn:idp', [EC_CERTIFICATE, PEM, certificate({ bits: 1024 })]);
  t.match(await post(xml.replace(' entityID', ' validUntil="2001-01-01T00:00:00Z" entityID')), {
    status: 200,
    body: {
      saml: { certificates: [PEM] },
      warnings: [
        { code: 'unsupported_key', pointer: '/saml/certificates', detail: /left out/ },
        { code: 'weak_certificate', pointer: '/saml/certificates' },
        { code: 'metadata_expired', pointer: '/saml', detail: /2001-01-01/ },
      ],
    },
  });
  for (const until of ['2999-01-01T00:00:00Z', 'never']) {
    const current = idpMetadata('urn:idp', [PEM]).replace(' entityID', ` validUntil="${until}" entityID`);
    t.match((await post(current)).body, { warnings: [] });
  }
});

t.test('other kinds have no metadata', async (t) => {
  const { post } = await newProvider('claims');
  t.match(await post(idpMetadata('urn:idp', [PEM])), { status: 400, body: { pointer: '/saml' } });
});

/** An identity provider on this machine: its address. */
async function listen(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const local = await startApp(t, { allowLoopback: true });

t.test('metadata is fetched by its URL, and read as if it had been pasted', async (t) => {
  const { postUrl, read, feed } = await newProvider('saml', local);
  const asked: unknown[] = [];
  const origin = await listen(t, ({ method, url, headers: { accept } }, reply) => {
    asked.push({ method, url, accept });
    reply.end(idpMetadata('urn:idp', [PEM]));
  });
  const before = await read();
  t.match(await postUrl(`${origin}/metadata?app=1`, '?dryRun=true'), {
    status: 200,
    body: { saml: { issuer: 'urn:idp' }, plan: { remove: 0 } },
  });
  t.same(await read(), before);
  const answer = await postUrl(`${origin}/metadata?app=1`);
  t.match(answer, { status: 200, body: { saml: { ...SAML, issuer: 'urn:idp', certificates: [PEM] } } });
  t.same(await read(), answer.body);
  t.match((await feed()).at(-1), { type: 'identity_provider.updated' });
  const get = { method: 'GET', url: '/metadata?app=1', accept: 'application/samlmetadata+xml, */*;q=0.5' };
  t.same(asked, [get, get]);
});

t.test(
  'what is published there is refused like what is pasted, and what cannot be had says why',
  async (t) => {
    const { postUrl, read } = await newProvider('saml', local);
    const before = await read();
    const large = `<!--${' '.repeat(1_100_000)}-->${idpMetadata('urn:idp', [PEM])}`;
    const answers: Readonly<Record<string, RequestListener>> = {
      '/html': (_, reply) => void reply.end('<p>Sign in</p>'),
      '/short': (_, reply) => void reply.end(idpMetadata('urn:idp', [certificate({ bits: 1024 })])),
      '/moved': (_, reply) => void reply.writeHead(302, { location: '/metadata' }).end(),
      '/broken': (_, reply) => void reply.destroy(),
      '/large': (_, reply) => void reply.end(large),
      '/latin': (_, reply) => void reply.end(Buffer.from([0xe9])),
    };
    const origin = await listen(t, (request, reply) => answers[request.url ?? '']?.(request, reply));
    const cases: readonly (readonly [path: string, body: object])[] = [
      ['/html', { reason: 'structure', detail: /no EntityDescriptor/ }],
      ['/short', { reason: 'weak_certificate', pointer: '/saml/certificates/0' }],
      ['/moved', { reason: 'status', pointer: '/url', hint: /redirect/ }],
      ['/broken', { reason: 'unreachable', pointer: '/url', hint: /host/ }],
      ['/large', { reason: 'too_large', pointer: '/url', hint: /alone/ }],
      ['/latin', { reason: 'malformed', pointer: '/url', hint: /UTF-8/ }],
    ];
    for (const [path, body] of cases) {
      t.match(
        await postUrl(origin + path),
        { status: 400, body: { code: 'invalid_request', ...body } },
        path,
      );
    }
    t.same(await read(), before, 'nothing was taken');
  },
);

t.test(
  'nothing but the public Internet is fetched from, and nothing for a provider that is not there',
  async (t) => {
    let asked = 0;
    const origin = await listen(t, (_, reply) => {
      asked += 1;
      reply.end(idpMetadata('urn:idp', [PEM]));
    });
    const { postUrl } = await newProvider();
    const cases: readonly (readonly [url: string, reason: string])[] = [
      [origin, 'url'],
      ['http://idp.example/metadata', 'url'],
      ['https://idp.example:8443/metadata', 'url'],
      ['https://ada:secret@idp.example/metadata', 'url'],
      ['file:///etc/passwd', 'url'],
      ['metadata.xml', 'url'],
      ['', 'url'],
      ['https://127.0.0.1/metadata', 'address'],
      ['https://localhost/metadata', 'address'],
      ['https://169.254.169.254/latest/meta-data', 'address'],
      ['https://[::ffff:10.0.0.1]/metadata', 'address'],
    ];
    for (const [url, reason] of cases) {
      const { status, body, text } = await postUrl(url);
      t.match({ status, body }, { status: 400, body: { reason, pointer: '/url', hint: /./ } }, url);
      t.notMatch(text, /secret/);
    }
    const { ask } = await newProvider('saml', local);
    t.match(await ask('POST', '/identity-providers/none/metadata', { url: origin }), {
      status: 404,
      body: { detail: 'Identity provider not found' },
    });
    t.equal(asked, 0);
  },
);
