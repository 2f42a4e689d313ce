import type { Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { putLast } from '../put-last.ts';

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

/**
 * The part of the rate that each key has for itself, whatever its tenant's other keys ask (25 a second of 500: what
 * Entra ID is to be served always); all of them together have at most half of the tenant's rate so.
 */
const RESERVED = { key: 1 / 20, tenant: 1 / 2 };

type Limited = Exclude<Principal, { kind: 'operator' }>;

export interface Rates {
  /** Lets a principal's request in. @throws RateRefusal with the seconds after which there is room */
  admit(principal: Principal): void;
  /**
   * Counts what was let in as so many requests more: a /Bulk is as many as it has operations. Those that come behind it
   * wait until it is paid for, and there is one such debt at a time.
   * @throws RateRefusal where another is not paid for
   */
  charge(principal: Principal, requests: number): void;
  /** Counts what was answered as so many requests more; nobody is refused, because it is done. */
  owe(principal: Principal, requests: number): void;
}

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
export function openRates({ perSecond, burst }: Rate, now: () => Date, tell: TellRefused = () => {}): Rates {
  const buckets = new Map<string, Bucket>();
  const refusalOf = makeRefusals(tell);

  function bucketOf({ name, part }: Share, at: number): Bucket {
    const bucket = buckets.get(name) ?? { left: burst * part, at };
    // A clock that was set back gives nothing, and takes nothing.
    const since = Math.max(0, at - bucket.at) / 1_000;
    bucket.left = Math.min(burst * part, bucket.left + since * perSecond * part);
    bucket.at = at;
    putLast(buckets, name, bucket, KEPT);
    return bucket;
  }

  /** What a principal's debts are taken from. */
  function debtorsOf(principal: Limited, at: number): { readonly shared: Bucket[]; readonly all: Bucket[] } {
    const { shared, reserved } = sharesOf(principal);
    const bucketsOf = (shares: readonly Share[]) => shares.map((share) => bucketOf(share, at));
    const limited = bucketsOf(shared);
    // Of what is reserved the key's part alone: the tenant's is there for its other keys.
    return { shared: limited, all: [...limited, ...bucketsOf(reserved.slice(0, 1))] };
  }

  return {
    admit(principal) {
      if (principal.kind === 'operator') return;
      const at = now().getTime();
      const { shared, reserved } = sharesOf(principal);
      const limited = shared.map((share) => bucketOf(share, at));
      const least = Math.min(...limited.map(({ left }) => left));
      if (least >= 1) return take(limited, 1);
      const own = reserved.map((share) => bucketOf(share, at));
      if (own.length > 0 && own.every(({ left }) => left >= 1)) return take(own, 1);
      throw refusalOf(principal, Math.ceil((1 - least) / perSecond));
    },
    charge(principal, requests) {
      if (principal.kind === 'operator') return;
      const { shared, all } = debtorsOf(principal, now().getTime());
      const least = Math.min(...shared.map(({ left }) => left));
      if (least < 0) throw refusalOf(principal, Math.ceil((1 - least) / perSecond));
      take(all, requests);
    },
    owe(principal, requests) {
      if (principal.kind !== 'operator') take(debtorsOf(principal, now().getTime()).all, requests);
    },
  };
}

function take(buckets: readonly Bucket[], requests: number): void {
  for (const bucket of buckets) bucket.left -= requests;
}

/** Whose limit it is, and how much of the rate. */
interface Share {
  readonly name: string;
  readonly part: number;
}

function sharesOf(principal: Limited): { readonly shared: Share[]; readonly reserved: Share[] } {
  const key = `key ${principal.id}`;
  if (principal.kind !== 'api_key') return { shared: [{ name: key, part: 1 }], reserved: [] };
  const tenant = `tenant ${principal.tenant.id}`;
  return {
    shared: [key, tenant].map((name) => ({ name, part: 1 })),
    reserved: [
      { name: `${key} reserved`, part: RESERVED.key },
      { name: `${tenant} reserved`, part: RESERVED.tenant },
    ],
  };
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
