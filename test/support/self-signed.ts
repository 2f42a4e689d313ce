import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

/** A key pair of its own for each call, and a certificate for it: PEM. */
export interface SelfSigned {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly certificate: string;
}

/** Makes an RSA key and the smallest X.509 certificate that holds it (RFC 5280 section 4.1, version 1). */
export function selfSigned(): SelfSigned {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const sha256WithRsa = sequence(der(0x06, Buffer.from('2a864886f70d01010b', 'hex')), der(0x05));
  const commonName = sequence(der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from('test')));
  const name = sequence(der(0x31, commonName));
  const validity = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231000000Z')));
  const certified = sequence(der(0x02, Buffer.from([1])), sha256WithRsa, name, validity, name, spki);
  const signature = der(0x03, Buffer.from([0]), sign('sha256', certified, privateKey));
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
    certificate: pem(sequence(certified, sha256WithRsa, signature)),
  };
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts);

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length =
    body.length < 0x80 ? [body.length] : [0x82, Math.floor(body.length / 256), body.length % 256];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
