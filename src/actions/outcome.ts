import { setImmediate as othersAreServed } from 'node:timers/promises';
import { isRolledBack, type UniqueConstraint, violates } from '../db/constraints.ts';

/**
 * Hot actions take a list of requests of one client and answer one outcome each, in the same order: what a
 * request asked for, or why not. One refused request harms no other; a single request is a list of one.
 */
export type Outcome<Value> = { readonly value: Value } | { readonly refusal: Error };

/** The value of a list of one; throws its refusal. */
export function only<Value>(outcomes: readonly Outcome<Value>[]): Value {
  const [outcome] = outcomes;
  if (!outcome || outcomes.length !== 1) throw new Error('expected one outcome');
  if ('refusal' in outcome) throw outcome.refusal;
  return outcome.value;
}

/**
 * Runs `decide` for each request; what it throws is the refusal. Between two requests the process serves others: a
 * list may hold a hundred PATCHes, each of which may take 0.2 seconds (`scim/effort.ts`).
 */
export async function attemptEach<Request, Value>(
  requests: readonly Request[],
  decide: (request: Request) => Value | Promise<Value>,
): Promise<Outcome<Value>[]> {
  const outcomes: Outcome<Value>[] = [];
  for (const request of requests) {
    if (outcomes.length > 0) await othersAreServed();
    try {
      outcomes.push({ value: await decide(request) });
    } catch (error) {
      outcomes.push({ refusal: error as Error });
    }
  }
  return outcomes;
}

/** The values of those that were not refused. */
export function valuesOf<Value>(outcomes: readonly Outcome<Value>[]): Value[] {
  return outcomes.flatMap((each) => ('value' in each ? [each.value] : []));
}

/**
 * Plans each request by itself; those whose plan holds are carried out together. What `plan` throws is the outcome
 * of that one request.
 */
export async function eachPlanned<Request, Plan, Value>(
  requests: readonly Request[],
  plan: (request: Request) => Plan,
  carryOut: (plans: readonly Plan[]) => Promise<Outcome<Value>[]>,
): Promise<Outcome<Value>[]> {
  const plans = await attemptEach(requests, plan);
  const held = valuesOf(plans);
  const outcomes = (held.length > 0 ? await carryOut(held) : []).values();
  return plans.map((each) => ('refusal' in each ? each : (outcomes.next().value as Outcome<Value>)));
}

/** What a write that held on a certain version may also come to: the resource was no longer at it. */
export type Moved = 'moved';

/**
 * Gives each request its outcome where a list may name one resource several times: a turn takes the first request
 * for each resource, the next turn the second, so that their order is kept.
 */
export async function inTurns<Request extends { readonly id: string }, Value>(
  requests: readonly Request[],
  take: (turn: readonly Request[]) => Promise<Outcome<Value>[]>,
): Promise<Outcome<Value>[]> {
  const outcomes = new Map<Request, Outcome<Value>>();
  while (outcomes.size < requests.length) {
    const turn = firstPerId(requests.filter((request) => !outcomes.has(request)));
    const answers = await take(turn);
    turn.forEach((request, index) => {
      outcomes.set(request, answers[index] ?? { refusal: new Error('a request got no outcome') });
    });
  }
  return requests.map((request) => outcomes.get(request) as Outcome<Value>);
}

function firstPerId<Request extends { readonly id: string }>(requests: readonly Request[]): Request[] {
  const first = new Map<string, Request>();
  for (const request of requests) if (!first.has(request.id)) first.set(request.id, request);
  return [...first.values()];
}

/**
 * Runs `work` for all requests; where PostgreSQL refuses them together, for each alone, so that only those fail who are
 * the reason. Side by side, because that may be a lock for which each waits for seconds; and only where it is known that
 * nothing was done.
 */
export async function apartOnRefusal<Request, Answer>(
  requests: readonly Request[],
  work: (requests: readonly Request[]) => Promise<Answer[]>,
): Promise<(Answer | { readonly refusal: Error })[]> {
  try {
    return await work(requests);
  } catch (error) {
    const refusal = error as Error;
    if (requests.length === 1 || !isRolledBack(error)) return requests.map(() => ({ refusal }));
  }
  const answers = await Promise.all(requests.map((request) => apartOnRefusal([request], work)));
  return answers.flat();
}

/**
 * Read, plan, guarded write: first without locks, because a race is rare; whoever lost one does it again holding
 * the resource, and cannot lose twice.
 */
export async function heldAfterLoss<Request, Value>(
  requests: readonly Request[],
  openly: (requests: readonly Request[]) => Promise<(Outcome<Value> | Moved)[]>,
  held: (requests: readonly Request[]) => Promise<(Outcome<Value> | Moved)[]>,
): Promise<Outcome<Value>[]> {
  const first = await openly(requests);
  const lost = requests.filter((_, index) => first[index] === 'moved');
  // What was written openly is written: a failure now is only theirs who lost.
  const second = lost.length > 0 ? await apartOnRefusal(lost, held) : [];
  const answers = first.map((answer) => (answer === 'moved' ? second.shift() : answer));
  return answers.map((answer) =>
    answer === undefined || answer === 'moved' ? { refusal: new Error('a held resource moved') } : answer,
  );
}

/** A name before and after a change, folded. */
export interface Renaming {
  readonly before: string;
  readonly after: string;
}

/** What `apartOnConflict` understands too: in one statement, which has no order, the renamings would all succeed. */
class NamesCross extends Error {}

/** Breaks off a list in which a request takes the name that another gives up: their order decides. */
export function requireApartNames(renamings: readonly Renaming[]): void {
  const changed = renamings.filter(({ before, after }) => before !== after);
  const given = new Set(changed.map(({ before }) => before));
  if (changed.some(({ after }) => given.has(after))) throw new NamesCross();
}

/**
 * Runs `work` for all requests; when one of them takes a name that is not free, or that another gives up, for each
 * alone, in their order, so that it harms no other. `taken` is that one's refusal.
 */
export async function apartOnConflict<Request, Value>(
  requests: readonly Request[],
  { constraint, taken }: { readonly constraint: UniqueConstraint; taken(): Error },
  work: (requests: readonly Request[]) => Promise<(Outcome<Value> | Moved)[]>,
): Promise<(Outcome<Value> | Moved)[]> {
  try {
    return await work(requests);
  } catch (error) {
    if (!(error instanceof NamesCross) && !violates(error, constraint)) throw error;
  }
  if (requests.length === 1) return [{ refusal: taken() }];
  const outcomes: (Outcome<Value> | Moved)[] = [];
  for (const request of requests) {
    const alone = apartOnConflict([request], { constraint, taken }, work);
    outcomes.push(...(await alone.catch((refusal: Error) => [{ refusal }])));
  }
  return outcomes;
}
