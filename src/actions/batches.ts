import type { Actor, ScimActor } from '../context.ts';
import { AppError } from '../errors.ts';
import { apartOnRefusal, type Outcome } from './outcome.ts';

/**
 * Requests of one client that arrive while others of it are on their way to the database wait for these, and then go
 * together: fewer statements under load, and no timer, so that a client alone waits for nobody. What the requests of a
 * batch have in common is their client and nothing else: each has its own outcome, change and event.
 */

/** Requests as the actions take them: each gets its outcome, in their order. */
export type CarryOut<Request, Value> = (
  actor: ScimActor,
  requests: readonly Request[],
) => Promise<Outcome<Value>[]>;

/** So many requests go together at most: no statement takes long. */
const MOST = 50;

/** So many changes do: each reads what is stored, up to a megabyte, where a creation holds no more than its request. */
export const MOST_CHANGES = 10;

/**
 * Beside others no request brings them beyond so many bytes of bodies: the driver binds a statement's values in one go,
 * 0.1 seconds a megabyte.
 */
export const MOST_BYTES = 256 * 1024;

/** So many batches of a client are on their way at most: one is at the database while another is planned or answered. */
const LANES = 2;

/** How long a request waits until a batch takes it, in milliseconds. */
const PATIENCE = 5_000;

interface Waiting<Request, Value> {
  readonly request: Request;
  readonly targets: readonly string[];
  readonly bytes: number;
  answer(outcome: Outcome<Value>): void;
  /** Set where no batch took it at once. */
  timer?: NodeJS.Timeout;
}

/** What batches ask of a request. */
interface Traits<Request> {
  /**
   * What it must have for itself: of two that name the same the second goes in a later batch, so that they are carried
   * out in the order in which they came.
   */
  targets?(request: Request): readonly string[];
  /** How large its body was; absent: small. */
  bytes?(request: Request): number;
  /** Instead of `MOST`. */
  readonly most?: number;
  /** Instead of `PATIENCE`. */
  readonly patience?: number;
}

/**
 * The same action, for which requests that come one at a time go in batches; a list goes as it is. Who waits too long to
 * be taken is refused `unavailable`.
 */
export function inBatches<Request, Value>(
  carryOut: CarryOut<Request, Value>,
  { targets = () => [], bytes = () => 0, most = MOST, patience = PATIENCE }: Traits<Request> = {},
): CarryOut<Request, Value> {
  // What a credential was found to be is one object for a second at most: client, tenant, settings and schema.
  const queues = new WeakMap<Actor['principal'], Queue<Request, Value>>();
  return (actor, requests) => {
    const [request, ...others] = requests;
    if (request === undefined || others.length > 0) return carryOut(actor, requests);
    const queue =
      queues.get(actor.principal) ?? new Queue((some) => carryOut(actor, some), { most, patience });
    queues.set(actor.principal, queue);
    return new Promise((resolve) => {
      const answer = (outcome: Outcome<Value>) => resolve([outcome]);
      queue.add({ request, targets: targets(request), bytes: bytes(request), answer });
    });
  };
}

class Queue<Request, Value> {
  readonly #carryOut: (requests: readonly Request[]) => Promise<Outcome<Value>[]>;
  readonly #limits: { readonly most: number; readonly patience: number };
  #waiting: Waiting<Request, Value>[] = [];
  /** What the batches on their way have for themselves. */
  readonly #taken = new Set<string>();
  #underway = 0;
  /** Whether `#next` comes at the end of this turn. */
  #isCalled = false;

  constructor(
    carryOut: (requests: readonly Request[]) => Promise<Outcome<Value>[]>,
    limits: { readonly most: number; readonly patience: number },
  ) {
    this.#carryOut = carryOut;
    this.#limits = limits;
  }

  add(waiting: Waiting<Request, Value>): void {
    this.#waiting.push(waiting);
    if (this.#isCalled) return;
    this.#isCalled = true;
    // Behind all requests that this turn of the event loop has read; where there are no others it costs nothing.
    setImmediate(() => {
      this.#isCalled = false;
      this.#next();
      for (const left of this.#waiting)
        left.timer ??= setTimeout(() => this.#giveUp(left), this.#limits.patience);
    });
  }

  #next(): void {
    while (this.#underway < LANES) {
      const batch = this.#take();
      if (batch.length === 0) return;
      this.#underway += 1;
      void this.#send(batch).then(() => {
        this.#underway -= 1;
        for (const target of batch.flatMap(({ targets }) => targets)) this.#taken.delete(target);
        this.#next();
      });
    }
  }

  /** Those who have waited longest and may go now; whom they have to wait for, those behind them wait for too. */
  #take(): Waiting<Request, Value>[] {
    const batch: Waiting<Request, Value>[] = [];
    const waitedFor = new Set<string>();
    let bytes = 0;
    this.#waiting = this.#waiting.filter((each) => {
      const isFree = each.targets.every((target) => !this.#taken.has(target) && !waitedFor.has(target));
      const fits =
        batch.length === 0 || (batch.length < this.#limits.most && bytes + each.bytes <= MOST_BYTES);
      const goes = isFree && fits;
      if (goes) {
        clearTimeout(each.timer);
        batch.push(each);
        bytes += each.bytes;
      }
      for (const target of each.targets) (goes ? this.#taken : waitedFor).add(target);
      return !goes;
    });
    return batch;
  }

  #giveUp(waiting: Waiting<Request, Value>): void {
    this.#waiting = this.#waiting.filter((each) => each !== waiting);
    waiting.answer({ refusal: busy() });
  }

  async #send(batch: readonly Waiting<Request, Value>[]): Promise<void> {
    const requests = batch.map(({ request }) => request);
    const outcomes = await apartOnRefusal(requests, this.#carryOut);
    batch.forEach(({ answer }, index) => {
      answer(outcomes[index] ?? { refusal: new Error('a request of a batch got no outcome') });
    });
  }
}

function busy(): AppError {
  return new AppError('unavailable', 'Others of the same key were not done in time', {
    reason: 'busy',
    hint: 'Nothing was done. Repeat the request after the seconds in Retry-After.',
  });
}
