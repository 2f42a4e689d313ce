import { AppError } from '../errors.ts';

interface Waiting {
  lend(): void;
}

/**
 * Whose turn it is: the connections of a pool are lent in the names of tenants, so that one whose statements are many,
 * slow or waiting for locks does not keep the others from the database.
 *
 * A name gets one more only while it holds fewer than are left: alone half of them, and there is something left for
 * whoever comes next. Who may not have one waits. What comes back goes round the names, and within a name to who has
 * waited longest. It knows nothing of connections: who has a turn takes one out of a pool with as many.
 */
export class Turns {
  readonly #patience: number;
  #left: number;
  readonly #held = new Map<string, number>();
  /** In the order in which it is the names' turn; no name without somebody who waits. */
  readonly #waiting = new Map<string, Set<Waiting>>();

  /** @param patience how long anybody waits, in milliseconds. */
  constructor(connections: number, patience: number) {
    this.#left = connections;
    this.#patience = patience;
  }

  /**
   * Undefined where there is nothing to wait for; else resolves when the turn has come. Who got one gives it back.
   * @throws AppError `unavailable` where that takes too long
   */
  take(name: string): Promise<void> | undefined {
    // Whoever waits may not have one, so nobody is overtaken.
    if (!this.#waiting.has(name) && this.#mayHaveOneMore(name)) {
      this.#lend(name);
      return undefined;
    }
    return this.#wait(name);
  }

  giveBack(name: string): void {
    const held = this.#heldBy(name) - 1;
    if (held === 0) this.#held.delete(name);
    else this.#held.set(name, held);
    this.#left += 1;
    if (this.#waiting.size > 0) this.#goRound();
  }

  #heldBy(name: string): number {
    return this.#held.get(name) ?? 0;
  }

  #mayHaveOneMore(name: string): boolean {
    return this.#heldBy(name) < this.#left;
  }

  #lend(name: string): void {
    this.#held.set(name, this.#heldBy(name) + 1);
    this.#left -= 1;
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
        reject(busy());
      }, this.#patience);
      queue.add(waiting);
    });
  }

  #goRound(): void {
    // A name that is put behind the others comes by once more, as long as it may have more.
    for (const [name, queue] of this.#waiting) {
      const [first] = queue;
      if (first === undefined || !this.#mayHaveOneMore(name)) continue;
      queue.delete(first);
      this.#waiting.delete(name);
      if (queue.size > 0) this.#waiting.set(name, queue);
      this.#lend(name);
      first.lend();
    }
  }
}

function busy(): AppError {
  return new AppError('unavailable', 'No connection to the database came free in time', {
    reason: 'busy',
    hint: 'The tenant has many requests under way, or they take long. Repeat the request after the seconds in Retry-After.',
  });
}
