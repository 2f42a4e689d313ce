import { randomBytes } from 'node:crypto';
import t from 'tap';
import { verifySaml } from '../../../src/assertions/saml/verify.ts';
import { AssertionError } from '../../../src/assertions/types.ts';
import { makeEncrypted, NOW, PROVIDER, part, posted, type Signed, swap } from './identity-provider.ts';

/**
 * Who may post changed ciphertexts, and is told how far each came, decrypts an assertion byte by byte (Jager and
 * Somorovsky, "How to Break XML Encryption", 2011). So one document's changed ciphertexts must all get one answer.
 */

const CBC = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc';
const SHORT_CBC = 'http://www.w3.org/2001/04/xmlenc#aes128-cbc';
const GCM = 'http://www.w3.org/2009/xmlenc11#aes256-gcm';

const BLOCK = 16;
const CIPHERTEXT =
  /(?<=<xenc:CipherValue>)[^<]+(?=<\/xenc:CipherValue>\s*<\/xenc:CipherData>\s*<\/xenc:EncryptedData>)/;
const METHOD = /(?<=<xenc:EncryptedData [^>]*>\s*<xenc:EncryptionMethod Algorithm=")[^"]+/;
const RESPONSE_SIGNATURE = /<ds:Signature .*?<\/ds:Signature>/s;

/** Ways to write the algorithm, which mean the same. */
const SPELLINGS: Readonly<Record<string, (algorithm: string) => string>> = {
  'as it is': (algorithm) => algorithm,
  'by a decimal reference': (algorithm) => algorithm.replace('#', '&#35;'),
  'by a hexadecimal reference': (algorithm) => algorithm.replace('#', '&#x23;'),
};

/** Every padding that one block can have, each byte of the last two blocks changed, blocks gone, and noise. */
function changedCiphertexts(ciphertext: Buffer): Buffer[] {
  const [iv, first] = [ciphertext.subarray(0, BLOCK), ciphertext.subarray(BLOCK, 2 * BLOCK)];
  const paddings = Array.from({ length: 256 }, (_, value) =>
    Buffer.concat([flipped(iv, BLOCK - 1, value), first]),
  );
  const last = Array.from({ length: 2 * BLOCK }, (_, at) =>
    flipped(ciphertext, ciphertext.length - 1 - at, 1 + Math.floor(Math.random() * 255)),
  );
  const cut = [1, BLOCK, 3 * BLOCK].map((bytes) => ciphertext.subarray(0, ciphertext.length - bytes));
  const noise = [0, BLOCK, 2 * BLOCK, 50 * BLOCK].map((length) => randomBytes(length));
  return [...paddings, ...last, ...cut, ...noise];
}

function flipped(bytes: Buffer, at: number, by: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ by;
  return changed;
}

/** All that the caller is told. */
async function answer(xml: string): Promise<string> {
  try {
    await verifySaml(PROVIDER, posted(xml), { now: NOW });
    return 'accepted';
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    const { reason, message, checks } = error;
    return JSON.stringify({ reason, message, checks });
  }
}

async function answers(xml: string): Promise<Set<string>> {
  const ciphertext = Buffer.from(part(xml, CIPHERTEXT), 'base64');
  const told = new Set<string>();
  for (const changed of changedCiphertexts(ciphertext)) {
    if (changed.equals(ciphertext)) continue;
    told.add(await answer(swap(xml, CIPHERTEXT, changed.toString('base64'))));
  }
  return told;
}

const CASES: readonly (readonly [from: string, to: string, spelling: string])[] = [
  [CBC, CBC, 'as it is'],
  [CBC, CBC, 'by a decimal reference'],
  [CBC, CBC, 'by a hexadecimal reference'],
  [SHORT_CBC, SHORT_CBC, 'as it is'],
  [GCM, CBC, 'as it is'],
  [GCM, CBC, 'by a decimal reference'],
  [GCM, GCM, 'as it is'],
];
for (const [from, to, spelling] of CASES) {
  const name = `${from.split('#')[1]} sent as ${to.split('#')[1]}, written ${spelling}`;
  t.test(`changed ciphertexts get one answer: ${name}`, async (t) => {
    const written = SPELLINGS[spelling]?.(to) ?? '';
    const xml = (await makeEncrypted({ algorithm: from })).replace(METHOD, written);
    t.match(xml, `Algorithm="${written}"`);
    const told = [...(await answers(xml))];
    t.equal(told.length, 1, told.join('\n').slice(0, 1_000));
    t.match(told[0], '"reason":"decryption"');
  });
}

for (const signed of ['response', 'both'] satisfies Signed[]) {
  t.test(
    `a signed response is opened by nobody who changed it, and stripped it tells nothing: ${signed}`,
    async (t) => {
      const xml = await makeEncrypted({ algorithm: CBC, signed });
      t.equal(await answer(xml), 'accepted');
      const told = [...(await answers(xml))];
      t.equal(told.length, 1, told.join('\n').slice(0, 1_000));
      t.match(told[0], '"reason":"signature"');
      const stripped = [...(await answers(swap(xml, RESPONSE_SIGNATURE, '')))];
      t.equal(stripped.length, 1, stripped.join('\n').slice(0, 1_000));
      t.match(stripped[0], '"reason":"decryption"');
    },
  );
}
