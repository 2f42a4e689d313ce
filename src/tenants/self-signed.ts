import { type KeyObject, sign } from 'node:crypto';

/** The little of X.509 (RFC 5280) and DER that a certificate of our own takes: Node reads certificates and makes none. */

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const UTC_TIME = 0x17;
/** `version [0] EXPLICIT`, section 4.1. */
const VERSION = 0xa0;

const COMMON_NAME = Buffer.from('0603550403', 'hex');
/** sha256WithRSAEncryption with its NULL (RFC 4055 section 5). */
const RSA_SHA256 = Buffer.from('300d06092a864886f70d01010b0500', 'hex');

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length > 0xff ? [0x82, length >> 8, length & 0xff] : [0x81, length];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content]);
}

/** Section 4.1.2.5: two digits of the year through 2049, four from 2050 on. */
function time(at: Date): Buffer {
  const digits = `${at.toISOString().replace(/[-:T]|\..*$/g, '')}Z`;
  return at.getUTCFullYear() < 2050
    ? der(UTC_TIME, Buffer.from(digits.slice(2)))
    : der(GENERALIZED_TIME, Buffer.from(digits));
}

export interface SelfSigned {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  readonly commonName: string;
  /** 16 bytes that no other certificate has. */
  readonly serial: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** An X.509 certificate in PEM of an RSA key, signed by that key. */
export function selfSigned(of: SelfSigned): string {
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from(of.commonName)))),
  );
  const unsigned = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Buffer.from([2]))),
    // A first bit of 0 keeps the number positive; one that is not 0 keeps it whole.
    der(INTEGER, Buffer.from([0x40, ...of.serial])),
    RSA_SHA256,
    name,
    der(SEQUENCE, time(of.notBefore), time(of.notAfter)),
    name,
    of.publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', unsigned, of.privateKey));
  const base64 = der(SEQUENCE, unsigned, RSA_SHA256, signature)
    .toString('base64')
    .replace(/.{64}(?!$)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}
