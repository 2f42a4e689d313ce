import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { runAlone, sendBy, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import {
  type IdentityProvider,
  identityProviderByName,
  identityProviderOf,
  setEncryptionKey,
} from '../tenants/identity-providers.ts';
import { sealSecret } from '../tenants/sealed.ts';
import { selfSigned } from '../tenants/self-signed.ts';

export interface ChangeEncryptionKey {
  readonly tenantId: string;
  readonly name: string;
}

const RSA_BITS = 3072;
const TEN_YEARS = 3_652 * 86_400_000;
const makeKeys = promisify(generateKeyPair);

/**
 * Makes the key pair to which an identity provider encrypts its assertions. The private key is never told.
 * @throws AppError `conflict`: `not_saml`; `key_exists`, because assertions to the other key could not be read any more.
 */
export async function createEncryptionKey(
  context: Context,
  actor: Actor,
  request: ChangeEncryptionKey,
): Promise<IdentityProvider> {
  const [row] = await runAlone(context.db, identityProviderByName(request.tenantId, request.name));
  if (row === undefined) throw notFound('Identity provider');
  requireNoKey(identityProviderOf(row));
  // Takes about half a second, and holds nobody meanwhile.
  const keys = await makeKeys('rsa', { modulusLength: RSA_BITS });
  const notBefore = context.now();
  const notAfter = new Date(notBefore.getTime() + TEN_YEARS);
  return changeKey(context, actor, request, (before) => {
    requireNoKey(before);
    const { id, name } = before;
    const certificate = selfSigned({
      ...keys,
      commonName: name,
      serial: randomBytes(16),
      notBefore,
      notAfter,
    });
    const pem = String(keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return { certificate, sealed: sealSecret(context.secretKey, { tenantId: request.tenantId, id }, pem) };
  });
}

function requireNoKey({ kind, encryptionCertificate }: IdentityProvider): void {
  if (kind !== 'saml') {
    throw new AppError('conflict', 'Only assertions of SAML are encrypted', { reason: 'not_saml' });
  }
  if (encryptionCertificate !== null) {
    throw new AppError('conflict', 'The identity provider has an encryption key already', {
      reason: 'key_exists',
      hint: 'Turn encryption off at the identity provider, delete the key, and make another.',
    });
  }
}

/** Forgets the key pair, if there is one: assertions that are encrypted are refused from now on. */
export async function deleteEncryptionKey(
  context: Context,
  actor: Actor,
  request: ChangeEncryptionKey,
): Promise<void> {
  await changeKey(context, actor, request, () => null);
}

async function changeKey(
  context: Context,
  actor: Actor,
  { tenantId, name }: ChangeEncryptionKey,
  decide: (before: IdentityProvider) => { readonly certificate: string; readonly sealed: string } | null,
): Promise<IdentityProvider> {
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  return transaction(context.db, tenantId, async (trx) => {
    const send = sendBy(trx);
    await send([lockTenantExclusive(tenantId)]);
    const [[row]] = await send([identityProviderByName(tenantId, name)]);
    if (row === undefined) throw notFound('Identity provider');
    const before = identityProviderOf(row);
    const key = decide(before);
    if (key === null && before.encryptionCertificate === null) return before;
    const after = {
      ...before,
      encryptionCertificate: key?.certificate ?? null,
      version: before.version + 1,
      updatedAt: occasion.at,
    };
    await send([setEncryptionKey(tenantId, after, key?.sealed ?? null)]);
    await record(trx, occasion, [
      {
        type: 'identity_provider.updated',
        resourceType: 'IdentityProvider',
        resourceId: after.id,
        before,
        after,
      },
    ]);
    return after;
  });
}
