import pg from 'pg';
import t from 'tap';
import { inBatches } from '../../src/actions/batches.ts';
import type { Outcome } from '../../src/actions/outcome.ts';
import type { ScimActor } from '../../src/context.ts';

/** Requests of one client that meet go together: the mechanism, without a database. */

/** A client, as far as batches know one. */
const clientOf = (id: string) => ({ principal: { kind: 'system', name: id } }) as unknown as ScimActor;

/** So far that who came before it is on its way, if it can be. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** An action that waits until it is let go, and notes with whom it was asked to act. */
function held() {
  const batches: string[][] = [];
  const ends: (() => void)[] = [];
  const carryOut = async (_: ScimActor, requests: readonly string[]): Promise<Outcome<string>[]> => {
    batches.push([...requests]);
    await new Promise<void>((resolve) => ends.push(resolve));
    return requests.map((request) => ({ value: request.toUpperCase() }));
  };
  /** Lets go the batch that has waited longest, until whoever waited for it has been answered. */
  const release = async () => {
    ends.shift()?.();
    await turn();
  };
  return { batches, carryOut, release };
}

t.test('a client alone waits for nobody, and two batches of it at most are under way', async (t) => {
  const { batches, carryOut, release } = held();
  const ask = inBatches(carryOut);
  const client = clientOf('a');
  const answers: Promise<unknown>[] = [];
  for (const request of ['a', 'b', 'c', 'd', 'e']) {
    answers.push(ask(client, [request]));
    await turn();
  }
  t.same(batches, [['a'], ['b']], 'at once, without a timer');
  await release();
  t.same(batches, [['a'], ['b'], ['c', 'd', 'e']], 'those who came meanwhile go together');
  await release();
  await release();
  t.same(
    await Promise.all(answers),
    [...'ABCDE'].map((value) => [{ value }]),
    'each has its own answer',
  );
});

t.test('requests that are read in one turn of the event loop go together', async (t) => {
  const { batches, carryOut, release } = held();
  const ask = inBatches(carryOut);
  const client = clientOf('a');
  const answers = ['a', 'b', 'c'].map((request) => ask(client, [request]));
  await turn();
  t.same(batches, [['a', 'b', 'c']]);
  await release();
  await Promise.all(answers);
});

t.test('clients do not wait for each other', async (t) => {
  const { batches, carryOut, release } = held();
  const ask = inBatches(carryOut);
  const [one, other] = [clientOf('a'), clientOf('b')];
  const answers: Promise<unknown>[] = [];
  for (const [n, client] of [one, one, one, other].entries()) {
    answers.push(ask(client, [String(n)]));
    await turn();
  }
  t.same(batches, [['0'], ['1'], ['3']]);
  for (const _ of [1, 2, 3, 4]) await release();
  await Promise.all(answers);
});

t.test('requests for one target are carried out one after the other, in their order', async (t) => {
  const { batches, carryOut, release } = held();
  const ask = inBatches(carryOut, { targets: (request) => [...(request.split(' ')[1] ?? '')] });
  const client = clientOf('a');
  const answers = ['1 x', '2 x', '3 y', '4 xy', '5 y', '6 z'].map((request) => ask(client, [request]));
  await turn();
  t.same(batches, [['1 x', '3 y', '6 z']], 'the second for x waits, and whoever comes behind it does not');
  await release();
  t.same(batches[1], ['2 x'], 'but the one that waits for y too, and who waits for that');
  await release();
  t.same(batches[2], ['4 xy']);
  await release();
  t.same(batches[3], ['5 y']);
  await release();
  await Promise.all(answers);
});

t.test('fifty go together at most', async (t) => {
  const { batches, carryOut, release } = held();
  const ask = inBatches(carryOut);
  const client = clientOf('a');
  const answers = Array.from({ length: 122 }, (_, n) => ask(client, [String(n)]));
  await turn();
  for (const _ of [1, 2, 3]) await release();
  t.same(
    batches.map(({ length }) => length),
    [50, 50, 22],
  );
  await Promise.all(answers);
});

t.test('256 KiB go together at most, and what is larger alone', async (t) => {
  const { batches, carryOut, release } = held();
  const KIB = 1_024;
  const ask = inBatches(carryOut, { bytes: (request) => Number(request) * KIB });
  const client = clientOf('a');
  const answers = ['1', '1', '100', '156', '1', '1024', '200', '56'].map((size) => ask(client, [size]));
  await turn();
  for (const _ of [1, 2, 3, 4]) await release();
  t.same(
    batches,
    [['1', '1', '100', '1', '56'], ['156'], ['1024'], ['200']],
    'nobody waits behind a large one',
  );
  await Promise.all(answers);
});

t.test('who waits too long for those before it is refused, and not carried out', async (t) => {
  const { batches, carryOut, release } = held();
  const ask = inBatches(carryOut, { patience: 1 });
  const client = clientOf('a');
  const answers: Promise<unknown>[] = [];
  for (const request of ['a', 'b', 'c']) {
    answers.push(ask(client, [request]));
    await turn();
  }
  t.match(await answers.pop(), [{ refusal: { code: 'unavailable', reason: 'busy' } }]);
  for (const _ of [1, 2, 3]) await release();
  t.same(await Promise.all(answers), [[{ value: 'A' }], [{ value: 'B' }]]);
  t.same(batches, [['a'], ['b']]);
});

t.test('a list goes as it is', async (t) => {
  const { batches, carryOut, release } = held();
  const ask = inBatches(carryOut);
  const answer = ask(clientOf('a'), ['a', 'b']);
  await turn();
  t.same(batches, [['a', 'b']]);
  await release();
  t.same(await answer, [{ value: 'A' }, { value: 'B' }]);
});

/** As PostgreSQL refuses a statement. */
const refusal = (code: string) => Object.assign(new pg.DatabaseError('no', 2, 'error'), { code });

t.test(
  'a batch that the database refuses is carried out one by one: only those fail who are the reason',
  async (t) => {
    const asked: string[][] = [];
    const { carryOut, release } = held();
    const ask = inBatches(async (actor: ScimActor, requests: readonly string[]) => {
      asked.push([...requests]);
      if (requests.includes('first')) return carryOut(actor, requests);
      if (requests.includes('bad')) throw refusal('55P03');
      return requests.map((request) => ({ value: request }));
    });
    const client = clientOf('a');
    const held2 = [ask(client, ['first'])];
    await turn();
    held2.push(ask(client, ['first']));
    await turn();
    const answers = ['a', 'bad', 'b'].map((request) => ask(client, [request]));
    await release();
    await release();
    const [[a], [bad], [b]] = (await Promise.all(answers)) as [
      Outcome<string>[],
      Outcome<string>[],
      Outcome<string>[],
    ];
    t.same([a, b], [{ value: 'a' }, { value: 'b' }]);
    t.match(bad, { refusal: { code: '55P03' } });
    t.same(asked.slice(2), [['a', 'bad', 'b'], ['a'], ['bad'], ['b']]);
    await Promise.all(held2);
  },
);

t.test('of a batch that waits for locks in vain each waits by itself, and all at a time', async (t) => {
  const asked: string[][] = [];
  const waiting: (() => void)[] = [];
  const ask = inBatches(async (_: ScimActor, requests: readonly string[]) => {
    asked.push([...requests]);
    if (requests.length > 1) throw refusal('55P03');
    if (requests[0] === 'c') return [{ value: 'c' }];
    await new Promise<void>((resolve) => waiting.push(resolve));
    throw refusal('55P03');
  });
  const client = clientOf('a');
  const answers = ['a', 'b', 'c', 'd'].map((request) => ask(client, [request]));
  await turn();
  t.same(asked, [['a', 'b', 'c', 'd'], ['a'], ['b'], ['c'], ['d']]);
  for (const end of waiting) end();
  const locked = { refusal: { code: '55P03' } };
  t.match((await Promise.all(answers)).flat(), [locked, locked, { value: 'c' }, locked]);
});

t.test('who waits for another of its target keeps nobody from the lane that is free', async (t) => {
  const { batches, carryOut, release } = held();
  const ask = inBatches(carryOut, { targets: (request) => [...(request.split(' ')[1] ?? '')] });
  const client = clientOf('a');
  const answers: Promise<unknown>[] = [];
  for (const request of ['1 x', '2 x', '3 y']) {
    answers.push(ask(client, [request]));
    await turn();
  }
  t.same(batches, [['1 x'], ['3 y']]);
  for (const _ of [1, 2, 3]) await release();
  await Promise.all(answers);
});

t.test('a batch whose end is not known is not carried out again', async (t) => {
  for (const error of [new Error('Connection terminated unexpectedly'), refusal('57P01'), refusal('08006')]) {
    const asked: string[][] = [];
    const { carryOut, release } = held();
    const ask = inBatches(async (actor: ScimActor, requests: readonly string[]) => {
      asked.push([...requests]);
      if (requests.includes('first')) return carryOut(actor, requests);
      throw error;
    });
    const client = clientOf('a');
    const first = [ask(client, ['first'])];
    await turn();
    first.push(ask(client, ['first']));
    await turn();
    const answers = ['a', 'b'].map((request) => ask(client, [request]));
    await release();
    await release();
    t.same(await Promise.all(answers), [[{ refusal: error }], [{ refusal: error }]]);
    t.equal(asked.length, 3);
    await Promise.all(first);
  }
});
