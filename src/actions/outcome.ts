import { type UniqueConstraint, violates } from '../db/constraints.ts';

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

/**
 * Plans each request by itself; those whose plan holds are carried out together. What `plan` throws is the outcome
 * of that one request.
 */
export async function eachPlanned<Request, Plan, Value>(
  requests: readonly Request[],
  plan: (request: Request) => Plan,
  carryOut: (plans: readonly Plan[]) => Promise<Outcome<Value>[]>,
): Promise<Outcome<Value>[]> {
  const plans = requests.map((request) => attempt(() => plan(request)));
  const held = plans.flatMap((each) => ('value' in each ? [each.value] : []));
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
  const second = lost.length > 0 ? await held(lost) : [];
  const answers = first.map((answer) => (answer === 'moved' ? second.shift() : answer));
  return answers.map((answer) =>
    answer === undefined || answer === 'moved' ? { refusal: new Error('a held resource moved') } : answer,
  );
}

/**
 * Runs `work` for all requests; when one of them takes a name that is not free, for each alone, so that it harms
 * no other. `taken` is that one's refusal.
 */
export async function apartOnConflict<Request, Value>(
  requests: readonly Request[],
  { constraint, taken }: { readonly constraint: UniqueConstraint; taken(): Error },
  work: (requests: readonly Request[]) => Promise<(Outcome<Value> | Moved)[]>,
): Promise<(Outcome<Value> | Moved)[]> {
  try {
    return await work(requests);
  } catch (error) {
    if (!violates(error, constraint)) throw error;
  }
  if (requests.length === 1) return [{ refusal: taken() }];
  const outcomes: (Outcome<Value> | Moved)[] = [];
  for (const request of requests) {
    const alone = apartOnConflict([request], { constraint, taken }, work);
    outcomes.push(...(await alone.catch((refusal: Error) => [{ refusal }])));
  }
  return outcomes;
}
