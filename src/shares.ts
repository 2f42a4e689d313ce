/**
 * Something of which there is only so much (connections, bytes), lent in the names of tenants. A name gets more only while
 * it holds less than is left: alone half of it, and there is something left for whoever comes next.
 */
export class Shares {
  #left: number;
  readonly #held = new Map<string, number>();

  constructor(amount: number) {
    this.#left = amount;
  }

  /** Whatever the amount, so that there is none that nobody can ever have: together they hold one too many at most. */
  mayHaveMore(name: string): boolean {
    return this.#heldBy(name) < this.#left;
  }

  /** To be asked for by `mayHaveMore` before. */
  lend(name: string, amount = 1): void {
    this.#held.set(name, this.#heldBy(name) + amount);
    this.#left -= amount;
  }

  giveBack(name: string, amount = 1): void {
    const held = this.#heldBy(name) - amount;
    if (held === 0) this.#held.delete(name);
    else this.#held.set(name, held);
    this.#left += amount;
  }

  #heldBy(name: string): number {
    return this.#held.get(name) ?? 0;
  }
}
