import { AppError } from '../errors.ts';

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

/** Runs `decide`; what it throws is the refusal. */
export function attempt<Value>(decide: () => Value): Outcome<Value> {
  try {
    return { value: decide() };
  } catch (error) {
    return { refusal: error as Error };
  }
}

/** Rounds that a request may lose to other writers of the same resource before it is answered 503. */
const ROUNDS = 50;

/**
 * Read, plan, guarded write: in rounds, because a resource may move between its read and its write. `round` gets
 * requests for different resources and answers an outcome each, or `moved`, which comes again in the next round;
 * a second request for the same resource waits for the round after.
 */
export async function inRounds<Request extends { readonly id: string }, Value>(
  requests: readonly Request[],
  round: (turn: readonly Request[]) => Promise<(Outcome<Value> | 'moved')[]>,
): Promise<Outcome<Value>[]> {
  const outcomes = new Map<Request, Outcome<Value>>();
  for (let rounds = 0; rounds < ROUNDS && outcomes.size < requests.length; rounds += 1) {
    const turn = firstPerId(requests.filter((request) => !outcomes.has(request)));
    const answers = await round(turn);
    turn.forEach((request, index) => {
      const answer = answers[index];
      if (answer && answer !== 'moved') outcomes.set(request, answer);
    });
  }
  const busy = () => new AppError('unavailable', 'Too many writers change this resource at the same time');
  return requests.map((request) => outcomes.get(request) ?? { refusal: busy() });
}

function firstPerId<Request extends { readonly id: string }>(requests: readonly Request[]): Request[] {
  const first = new Map<string, Request>();
  for (const request of requests) if (!first.has(request.id)) first.set(request.id, request);
  return [...first.values()];
}
