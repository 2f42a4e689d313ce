import {
  createPrivateKey,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  X509Certificate,
} from 'node:crypto';
import t from 'tap';
import { runAlone } from '../../../src/db/transaction.ts';
import {
  identityProviderByName,
  identityProviderOf,
  samlProviderOf,
} from '../../../src/tenants/identity-providers.ts';
import { openSecret, sealSecret } from '../../../src/tenants/sealed.ts';
import { startApp } from '../../support/app.ts';
import { certificate } from '../../support/certificates.ts';
import { newWorld } from '../../support/world.ts';

/** What the other side of SAML gets of ours: metadata, and a key to encrypt to. */

const app = await startApp(t);
const OKTA = '/identity-providers/okta';
const SAML = { audience: 'urn:us?a="b"&<c>', acsUrl: 'https://us.example/acs?tenant=a&x=1' };

async function newProvider() {
  const world = await newWorld(app);
  await world.ask('POST', '/identity-providers', { name: 'okta', kind: 'saml', jit: 'off', saml: SAML });
  const stored = async () => {
    const [row] = await runAlone(app.context.db, identityProviderByName(world.tenant.id, 'okta'));
    if (row === undefined) throw new Error('the provider is gone');
    return row;
  };
  return { ...world, stored };
}

t.test('our metadata says who we are and where responses go', async (t) => {
  const { ask } = await newProvider();
  const { status, headers, text } = await ask('GET', `${OKTA}/service-provider-metadata`);
  t.equal(status, 200);
  t.match(headers['content-type'], 'application/samlmetadata+xml');
  t.match(text, 'entityID="urn:us?a=&quot;b&quot;&amp;&lt;c&gt;"');
  t.match(text, 'Location="https://us.example/acs?tenant=a&amp;x=1"');
  t.match(text, 'WantAssertionsSigned="true"');
  t.notMatch(text, 'KeyDescriptor');
});

t.test('only SAML has metadata and an encryption key', async (t) => {
  const { ask } = await newWorld(app);
  await ask('POST', '/identity-providers', { name: 'okta', kind: 'claims', jit: 'off' });
  t.match(await ask('GET', `${OKTA}/service-provider-metadata`), {
    status: 409,
    body: { reason: 'not_saml' },
  });
  t.match(await ask('POST', `${OKTA}/encryption-key`), { status: 409, body: { reason: 'not_saml' } });
  for (const [method, path] of [
    ['GET', 'service-provider-metadata'],
    ['POST', 'encryption-key'],
    ['DELETE', 'encryption-key'],
  ] as const) {
    const answer = await ask(method, `/identity-providers/none/${path}`);
    t.match(answer, { status: 404, body: { detail: 'Identity provider not found' } });
  }
});

t.test('a key is made once, its certificate told, and its private half to nobody', async (t) => {
  const { ask, tenant, stored, feed } = await newProvider();
  const made = await ask<{ encryptionCertificate: string }>('POST', `${OKTA}/encryption-key`);
  t.equal(made.status, 201);
  const { encryptionCertificate } = made.body;
  const { publicKey, subject } = new X509Certificate(encryptionCertificate);
  t.equal(publicKey.asymmetricKeyDetails?.modulusLength, 3072);
  t.equal(subject, 'CN=okta');
  t.match(await ask('POST', `${OKTA}/encryption-key`), { status: 409, body: { reason: 'key_exists' } });
  const { text } = await ask('GET', `${OKTA}/service-provider-metadata`);
  const [, base64 = ''] = /<ds:X509Certificate>(.*)<\/ds:X509Certificate>/.exec(text) ?? [];
  t.same(Buffer.from(base64, 'base64'), new X509Certificate(encryptionCertificate).raw);

  const { id, encryption_key: sealed } = await stored();
  const pem = openSecret(app.context.secretKey, { tenantId: tenant.id, id }, String(sealed));
  const secret = publicEncrypt(publicKey, Buffer.from('a session key'));
  t.equal(String(privateDecrypt(createPrivateKey(pem), secret)), 'a session key');
  const told = JSON.stringify([made.body, await feed(), (await ask('GET', OKTA)).body]);
  t.notMatch(told, /PRIVATE KEY/);
  t.notOk(told.includes(String(sealed)));

  t.equal((await ask('DELETE', `${OKTA}/encryption-key`)).status, 204);
  t.match((await ask('GET', OKTA)).body, { encryptionCertificate: null, version: 3 });
  t.equal((await stored()).encryption_key, null);
  const events = (await feed()).length;
  t.equal((await ask('DELETE', `${OKTA}/encryption-key`)).status, 204, 'there is none any more');
  t.equal((await feed()).length, events);
});

t.test('another change of the provider leaves its key', async (t) => {
  const { ask, stored } = await newProvider();
  await ask('POST', `${OKTA}/encryption-key`);
  const before = await stored();
  const issuer = { issuer: 'urn:idp', certificates: [certificate()] };
  t.equal(samlProviderOf(identityProviderOf(before).saml), undefined, 'nobody can sign in yet');
  await ask('PATCH', OKTA, { displayName: 'Okta', saml: issuer });
  const after = await stored();
  t.equal(after.encryption_key, before.encryption_key);
  t.same(samlProviderOf(identityProviderOf(after).saml), { ...SAML, ...issuer });
});

t.test('a sealed secret opens in its own row, by its own key, and unchanged', async (t) => {
  const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const place = { tenantId: 'a', id: '1' };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const sealed = sealSecret(key, place, text);
  t.not(sealed, sealSecret(key, place, text), 'never the same twice');
  t.equal(openSecret(key, place, sealed), text);
  t.throws(() => openSecret(other, place, sealed));
  t.throws(() => openSecret(key, { ...place, tenantId: 'b' }, sealed));
  t.throws(() => openSecret(key, { ...place, id: '2' }, sealed));
  t.throws(() => openSecret(key, place, `A${sealed.slice(1)}${sealed.startsWith('A') ? 'A' : ''}`));
});
