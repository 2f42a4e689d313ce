import t from 'tap';
import { type AnyBody, startApp } from '../../support/app.ts';
import { certificate, EC_CERTIFICATE, idpMetadata } from '../../support/certificates.ts';
import { newWorld } from '../../support/world.ts';

/** Issuer and certificates from an identity provider's SAML metadata. */

const app = await startApp(t);
const PEM = certificate();
const SAML = { audience: 'urn:us', acsUrl: 'https://us.example/acs' };

async function newProvider(kind = 'saml') {
  const world = await newWorld(app);
  const saml = kind === 'saml' ? { saml: SAML } : {};
  await world.ask('POST', '/identity-providers', { name: 'okta', kind, jit: 'off', ...saml });
  const path = `/api/admin/v1/tenants/${world.tenant.id}/identity-providers/okta`;
  const post = (xml: string, query = '', type = 'application/samlmetadata+xml') =>
    app.send<AnyBody>('POST', `${path}/metadata${query}`, {
      key: app.operatorKey,
      body: xml,
      headers: { 'content-type': type },
    });
  return { ...world, post, read: async () => (await world.ask('GET', '/identity-providers/okta')).body };
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
      idpMetadata('urn:idp', [PEM, EC_CERTIFICATE]),
      { reason: 'unsupported_key', pointer: '/saml/certificates/1' },
    ],
    ['eleven keys', idpMetadata('urn:idp', many), { pointer: '/saml/certificates' }],
    ['deep nesting', '<a>'.repeat(100) + '</a>'.repeat(100), { reason: 'too_large' }],
  ];
  for (const [what, text, body] of cases) {
    t.match(await post(text), { status: 400, body: { code: 'invalid_request', ...body } }, what);
  }
  t.equal((await post(' '.repeat(1_100_000))).status, 413);
  t.equal((await post(xml, '', 'text/html')).status, 415);
  t.equal((await post('{"xml": "x"}', '', 'application/json')).status, 400);
  t.same(await read(), before, 'nothing was taken');
});

t.test('other kinds have no metadata', async (t) => {
  const { post } = await newProvider('claims');
  t.match(await post(idpMetadata('urn:idp', [PEM])), { status: 400, body: { pointer: '/saml' } });
});
