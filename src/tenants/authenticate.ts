import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { type Credential, findCredential } from './credentials.ts';
import { type KeyIds, makeKeyReader, type PresentedKey, sameHash, sha256 } from './key-format.ts';
import type { Rates } from './rates.ts';
import { makeRecall } from './recall.ts';
import { makeUsage } from './usage.ts';

/**
 * Says whose credential it is. The log gets the reason of a refusal with the key's id; the caller never learns it.
 * @throws AppError `unauthorized`, the same for every credential that does not hold.
 */
export interface Authenticate {
  (credential: string | undefined, requestId?: string): Promise<Principal>;
  /** How often they may ask; absent: as often as they like. */
  readonly rates?: Rates;
}

export interface Authenticator {
  readonly authenticate: Authenticate;
  /** Writes when the keys were last used. Belongs into a worker's loop, and into the shutdown. */
  flushUsage(): Promise<void>;
}

/** How long a look-up is trusted, in milliseconds: with the way to the database, a revocation holds in a second. */
const LOOK_UP_MAX_AGE = 900;
/** Look-ups, and keys that hold, of which more is remembered than was asked. */
const KEPT = 10_000;

export function makeAuthenticator(context: Context): Authenticator {
  const { db, log } = context;
  const usage = makeUsage(db);
  const keys = makeKeyReader(KEPT);
  const lookUp = makeRecall<Credential>({
    now: () => context.now(),
    maxAge: LOOK_UP_MAX_AGE,
    size: KEPT,
  });

  async function authenticate(credential: string | undefined, requestId?: string): Promise<Principal> {
    if (credential === undefined) throw new CredentialRefusal(undefined);
    const digest = sha256(credential);
    if (sameHash(digest, context.operatorKeyHash)) return { kind: 'operator' };
    const presented = keys.read(credential, digest);
    if (presented === undefined) {
      log.info({ requestId, reason: 'malformed' }, 'credential refused');
      throw new CredentialRefusal(undefined);
    }
    const now = context.now();
    // Anybody can make up a key with the ids of another: who has held waits for no look-up of such a one.
    const isPatient = !presented.hasHeld;
    const ask = () => findCredential(db, presented);
    const found = await lookUp(`${presented.tenantId} ${presented.keyId}`, ask, isPatient);
    const reason = fault(presented, found, now);
    if (found === undefined || reason !== undefined) {
      log.info(
        { requestId, keyId: presented.keyId, tenantId: presented.tenantId, reason },
        'credential refused',
      );
      throw new CredentialRefusal(endedKey(presented, reason));
    }
    keys.remember(presented, digest);
    usage.mark(presented, now);
    return found.principal;
  }

  return { authenticate, flushUsage: usage.flush };
}

type Fault = 'unknown' | 'wrong secret' | 'revoked' | 'expired';

/** Compared with where no key was found, so that an unknown id takes the work of a known one. */
const NO_SECRET = Buffer.alloc(32);

function fault({ secretHash }: PresentedKey, found: Credential | undefined, now: Date): Fault | undefined {
  const secretHolds = sameHash(secretHash, found?.secretHash ?? NO_SECRET);
  if (found === undefined) return 'unknown';
  if (!secretHolds) return 'wrong secret';
  if (found.revokedAt !== null) return 'revoked';
  if (found.expiresAt !== null && found.expiresAt <= now) return 'expired';
  return undefined;
}

/** A tenant's key that was shown with its right secret, and does not hold any more. */
export interface EndedKey extends Required<KeyIds> {
  readonly because: 'revoked' | 'expired';
}

/** The one refusal. Which key it was is for the records of its tenant alone: the caller never learns it. */
export class CredentialRefusal extends AppError {
  readonly ended: EndedKey | undefined;

  constructor(ended: EndedKey | undefined) {
    super('unauthorized', 'The credential is missing or does not hold', {
      hint: 'Send "Authorization: Bearer <key>" with a key that is neither revoked nor expired.',
    });
    this.ended = ended;
  }
}

function endedKey({ tenantId, keyId }: KeyIds, because: Fault | undefined): EndedKey | undefined {
  if (tenantId === undefined || (because !== 'revoked' && because !== 'expired')) return undefined;
  return { tenantId, keyId, because };
}
