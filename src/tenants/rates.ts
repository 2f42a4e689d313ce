import type { Principal } from '../context.ts';
import { AppError } from '../errors.ts';

/** How often a key, and all keys of a tenant together, may ask: `burst` at once, and `perSecond` for ever. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What is left to a name. */
interface Bucket {
  left: number;
  /** When that was, in milliseconds. */
  at: number;
}

/** So many names are known; of the others nothing was asked for a while, or not much. */
const KEPT = 20_000;

/** Lets a principal's request in. @throws AppError `too_many_requests` with the seconds after which there is room */
export type Admit = (principal: Principal) => void;

/**
 * Opens the limits of this process: token buckets, filled by the clock and not by a timer. Nobody's requests count for
 * another tenant, and an operator's for nobody; what is refused does not count.
 */
export function openRates({ perSecond, burst }: Rate, now: () => Date): Admit {
  const buckets = new Map<string, Bucket>();

  function bucketOf(name: string, at: number): Bucket {
    const bucket = buckets.get(name) ?? { left: burst, at };
    // A clock that was set back gives nothing, and takes nothing.
    bucket.left = Math.min(burst, bucket.left + (Math.max(0, at - bucket.at) / 1_000) * perSecond);
    bucket.at = at;
    // Deleted first, so that the map stays in the order in which names were last asked for.
    buckets.delete(name);
    buckets.set(name, bucket);
    if (buckets.size > KEPT) forgetOldest();
    return bucket;
  }

  function forgetOldest(): void {
    const [oldest] = buckets.keys();
    if (oldest !== undefined) buckets.delete(oldest);
  }

  return (principal) => {
    if (principal.kind === 'operator') return;
    const at = now().getTime();
    const limited = namesOf(principal).map((name) => bucketOf(name, at));
    const least = Math.min(...limited.map(({ left }) => left));
    if (least < 1) throw tooMany(Math.ceil((1 - least) / perSecond));
    for (const bucket of limited) bucket.left -= 1;
  };
}

function namesOf(principal: Exclude<Principal, { kind: 'operator' }>): string[] {
  const key = `key ${principal.id}`;
  return principal.kind === 'api_key' ? [key, `tenant ${principal.tenant.id}`] : [key];
}

function tooMany(seconds: number): AppError {
  return new AppError('too_many_requests', 'The key, or its tenant, asks more often than it may', {
    reason: 'rate_limited',
    hint: 'Repeat the request after the seconds in Retry-After.',
    retryAfter: seconds,
  });
}
