export interface RecallOptions {
  now(): Date;
  /** Milliseconds that an answer is used for, counted from before its question was sent. */
  readonly maxAge: number;
  /** The most answers that are kept; the oldest make room. */
  readonly size: number;
}

interface Entry<Answer> {
  readonly askedAt: number;
  readonly answer: Promise<Answer | undefined>;
  readonly isPatient: boolean;
  isAnswered: boolean;
}

/**
 * The answer remembered under `name`, else that of `ask`. Who is not patient does not wait for a question of those who
 * are, and asks beside it.
 */
export type Recall<Answer> = (
  name: string,
  ask: () => Promise<Answer | undefined>,
  isPatient?: boolean,
) => Promise<Answer | undefined>;

/**
 * Remembers answers for a short while, and lets callers that come during a question wait for the same answer.
 * Failures and `undefined` are forgotten at once: what is not there may be there in a moment. What is too old goes
 * when something new comes.
 */
export function makeRecall<Answer>({ now, maxAge, size }: RecallOptions): Recall<Answer> {
  const entries = new Map<string, Entry<Answer>>();

  function keep(name: string, entry: Entry<Answer>): void {
    const forget = () => {
      if (entries.get(name) === entry) entries.delete(name);
    };
    entry.answer.then((answer) => {
      entry.isAnswered = true;
      if (answer === undefined) forget();
    }, forget);
    // Deleted first, so that the map stays in the order of askedAt and its first key is the oldest.
    entries.delete(name);
    entries.set(name, entry);
    for (const [oldest, { askedAt }] of entries) {
      // What is out of date is let go too: an answer may be large.
      if (entries.size <= size && entry.askedAt - askedAt < maxAge) break;
      entries.delete(oldest);
    }
  }

  return (name, ask, isPatient = true) => {
    const time = now().getTime();
    const known = entries.get(name);
    // A clock that was set back would make an answer young again.
    const age = known === undefined ? -1 : time - known.askedAt;
    const isWaitedFor = known?.isAnswered || isPatient || known?.isPatient === false;
    if (known !== undefined && age >= 0 && age < maxAge && isWaitedFor) return known.answer;
    const entry = { askedAt: time, answer: ask(), isPatient, isAnswered: false };
    keep(name, entry);
    return entry.answer;
  };
}
