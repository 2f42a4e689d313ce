import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import t from 'tap';
import { selfSigned } from '../../src/tenants/self-signed.ts';

t.test('a certificate of our own reads as what it was made of, and holds by its own key', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  for (const [from, to] of [
    ['2026-03-04T05:06:07Z', '2036-03-04T05:06:07Z'],
    ['2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z'],
  ] as const) {
    const [notBefore, notAfter] = [new Date(from), new Date(to)];
    const serial = randomBytes(16);
    const pem = selfSigned({ publicKey, privateKey, commonName: 'é.example', serial, notBefore, notAfter });
    const read = new X509Certificate(pem);
    t.ok(read.verify(publicKey));
    t.ok(read.checkIssued(read));
    t.equal(read.subject, 'CN=é.example');
    t.equal(read.serialNumber, `40${serial.toString('hex')}`.toUpperCase());
    t.same([new Date(read.validFrom), new Date(read.validTo)], [notBefore, notAfter]);
    t.equal(read.toString(), pem, 'in the form in which PEM is kept');
  }
});
