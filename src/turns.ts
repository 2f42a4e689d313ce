import { AppError } from './errors.ts';
import { Shares } from './shares.ts';

interface Waiting {
  lend(): void;
}

export interface TurnOptions {
  /** How many have one at a time. */
  readonly count: number;
  /** How long anybody waits, in milliseconds. */
  readonly patience: number;
  /** What to tell whoever waited as long. */
  readonly busy: { readonly detail: string; readonly hint: string };
}

/**
 * Whose turn it is: what only so many may have at a time is lent as fair `Shares`, so that a tenant whose requests are
 * many, slow or waiting for locks does not keep the others from it. Who may not have one waits. What comes back goes
 * round the names, and within a name to who has waited longest. It knows nothing of what is lent.
 */
export class Turns {
  readonly #shares: Shares;
  readonly #options: TurnOptions;
  /** In the order in which it is the names' turn; no name without somebody who waits. */
  readonly #waiting = new Map<string, Set<Waiting>>();

  constructor(options: TurnOptions) {
    this.#shares = new Shares(options.count);
    this.#options = options;
  }

  /**
   * Undefined where there is nothing to wait for; else resolves when the turn has come. Who got one gives it back.
   * @throws AppError `unavailable` where that takes too long
   */
  take(name: string): Promise<void> | undefined {
    // Whoever waits may not have one, so nobody is overtaken.
    if (!this.#waiting.has(name) && this.#shares.mayHaveMore(name)) {
      this.#shares.lend(name);
      return undefined;
    }
    return this.#wait(name);
  }

  giveBack(name: string): void {
    this.#shares.giveBack(name);
    if (this.#waiting.size > 0) this.#goRound();
  }

  async #wait(name: string): Promise<void> {
    const queue = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, queue);
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        lend: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        queue.delete(waiting);
        if (queue.size === 0) this.#waiting.delete(name);
        reject(busy(this.#options));
      }, this.#options.patience);
      queue.add(waiting);
    });
  }

  #goRound(): void {
    // A name that is put behind the others comes by once more, as long as it may have more.
    for (const [name, queue] of this.#waiting) {
      const [first] = queue;
      if (first === undefined || !this.#shares.mayHaveMore(name)) continue;
      queue.delete(first);
      this.#waiting.delete(name);
      if (queue.size > 0) this.#waiting.set(name, queue);
      this.#shares.lend(name);
      first.lend();
    }
  }
}

function busy({ busy: { detail, hint } }: TurnOptions): AppError {
  return new AppError('unavailable', detail, {
    reason: 'busy',
    hint: `${hint} Repeat the request after the seconds in Retry-After.`,
  });
}
