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

type Limited = Exclude<Principal, { kind: 'operator' }>;

/** Lets a principal's request in. @throws RateRefusal with the seconds after which there is room */
export type Admit = (principal: Principal) => void;

/** Is told once a second of each key that was refused, and how often: a flood is no reason to write a line for each. */
export type TellRefused = (principal: Limited, count: number) => void;

/** In milliseconds. */
const TOLD_EVERY = 1_000;

/** Too many requests. */
export class RateRefusal extends AppError {
  /** Whether the key was refused before, since it was last told of: then this is told in the sum alone. */
  readonly repeated: boolean;

  constructor(seconds: number, repeated: boolean) {
    super('too_many_requests', 'The key, or its tenant, asks more often than it may', {
      reason: 'rate_limited',
      hint: 'Repeat the request after the seconds in Retry-After.',
      retryAfter: seconds,
    });
    this.repeated = repeated;
  }
}

/**
 * Opens the limits of this process: token buckets, filled by the clock and not by a timer. Nobody's requests count for
 * another tenant, and an operator's for nobody; what is refused does not count.
 */
export function openRates({ perSecond, burst }: Rate, now: () => Date, tell: TellRefused = () => {}): Admit {
  const buckets = new Map<string, Bucket>();
  const refusalOf = makeRefusals(tell);

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
    if (least < 1) throw refusalOf(principal, Math.ceil((1 - least) / perSecond));
    for (const bucket of limited) bucket.left -= 1;
  };
}

function namesOf(principal: Limited): string[] {
  const key = `key ${principal.id}`;
  return principal.kind === 'api_key' ? [key, `tenant ${principal.tenant.id}`] : [key];
}

/** The refusals of a process, counted for those who are told. */
function makeRefusals(tell: TellRefused) {
  const counts = new Map<string, { readonly principal: Limited; count: number }>();
  // An error costs its stack, and those that are repeated say all the same.
  const repeated = new Map<number, RateRefusal>();

  function tellAll(): void {
    for (const { principal, count } of counts.values()) tell(principal, count);
    counts.clear();
  }

  return (principal: Limited, seconds: number): RateRefusal => {
    if (counts.size === 0) setTimeout(tellAll, TOLD_EVERY).unref();
    const known = counts.get(principal.id);
    if (known === undefined) {
      counts.set(principal.id, { principal, count: 1 });
      return new RateRefusal(seconds, false);
    }
    known.count += 1;
    const refusal = repeated.get(seconds) ?? new RateRefusal(seconds, true);
    repeated.set(seconds, refusal);
    return refusal;
  };
}
