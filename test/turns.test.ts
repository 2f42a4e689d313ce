import fc from 'fast-check';
import t from 'tap';
import { Turns } from '../src/turns.ts';
import { runs } from './support/runs.ts';

/** Whose turn it is: the mechanism, without a database. */

const LONG = 60_000;

const turnsOf = (count: number, patience = LONG) =>
  new Turns({ count, patience, busy: { detail: 'None came free', hint: 'There are many.' } });

/** Connections with a note of who has them. */
function lending(connections: number, patience = LONG) {
  const turns = turnsOf(connections, patience);
  const served: string[] = [];
  /** Asks once for each word, and says who got one at once. */
  const take = (names: string): string => {
    const before = served.length;
    for (const name of names.split(' ')) {
      const turn = turns.take(name);
      if (turn === undefined) served.push(name);
      else void turn.then(() => served.push(name));
    }
    return served.slice(before).join(' ');
  };
  /** Gives back, and says who got something then. */
  const giveBack = async (names: string): Promise<string> => {
    const before = served.length;
    for (const name of names.split(' ')) turns.giveBack(name);
    await settle();
    return served.slice(before).join(' ');
  };
  /** Everybody who has one gives it back, until nobody waits. */
  const end = async (): Promise<void> => {
    for (const name of served) await giveBack(name);
  };
  return { take, giveBack, end };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

t.test(
  'nobody may hold more than are left: alone half of them, and something is left for others',
  async (t) => {
    for (const [connections, shares] of [
      [1, [1, 0]],
      [2, [1, 1]],
      [4, [2, 1, 1]],
      [10, [5, 3, 1, 1]],
      [11, [6, 3, 1, 1]],
    ] as const) {
      const { take, end } = lending(connections);
      const got = shares.map((_, n) => take(Array(connections).fill(`${n}`).join(' ')));
      t.same(
        got.map((names) => names.split(' ').filter(Boolean).length),
        shares,
        `of ${connections}`,
      );
      await end();
    }
  },
);

t.test('what comes back goes to who holds least, and is kept for whoever holds nothing', async (t) => {
  const { take, giveBack } = lending(4);
  t.equal(take('a a b c'), 'a a b c');
  t.equal(take('a b c d'), '', 'all wait');
  t.equal(await giveBack('a'), 'd', 'the others hold one each');
  t.equal(await giveBack('d'), '', 'the last is kept');
  t.equal(take('e'), 'e', 'for a newcomer');
  t.equal(await giveBack('e'), '');
  t.equal(
    await giveBack('c'),
    'a c',
    'of two a gets a second one, and c, which now holds nothing, the other',
  );
  t.equal(await giveBack('a a'), 'b');
});

t.test('what comes back goes round the names, one each', async (t) => {
  const { take, giveBack } = lending(1);
  t.equal(take('x'), 'x');
  t.equal(take('a a a b b c'), '');
  const order = [];
  for (let holder = 'x'; holder !== ''; holder = await giveBack(holder)) order.push(holder);
  t.equal(order.join(' '), 'x a b c a b a');
});

t.test('who waits within a name is served in the order of asking', async (t) => {
  const turns = turnsOf(1);
  const order: number[] = [];
  turns.take('a');
  const waits = [1, 2, 3].map((n) => turns.take('a')?.then(() => order.push(n)));
  for (const _ of waits) turns.giveBack('a');
  await Promise.all(waits);
  t.same(order, [1, 2, 3]);
});

t.test('who waits too long is told to come back, and takes no turn any more', async (t) => {
  const turns = turnsOf(1, 1);
  t.equal(turns.take('a'), undefined);
  const refusal = turns.take('b');
  await t.rejects(refusal ?? Promise.resolve(), { code: 'unavailable', reason: 'busy' });
  turns.giveBack('a');
  t.equal(turns.take('c'), undefined, 'it is free');
});

t.test('whatever is asked and given back in whatever order', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const asks = fc.record({ kind: fc.constant('take'), name });
  const ends = fc.record({ kind: fc.constant('end'), at: fc.nat() });
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 12 }),
    fc.array(fc.oneof(asks, ends), { maxLength: 80 }),
    async (connections, acts) => {
      const turns = turnsOf(connections);
      const held: string[] = [];
      const waiting: string[] = [];
      const heldBy = (name: string) => held.filter((each) => each === name).length;
      const isRight = () => {
        const left = connections - held.length;
        // None more than there are; whoever waits holds as many as are left, so nobody waits for nothing.
        return left >= 0 && waiting.every((name) => heldBy(name) >= left);
      };
      for (const act of acts) {
        if ('at' in act) {
          const [name] = held.splice(act.at % Math.max(1, held.length), 1);
          if (name !== undefined) turns.giveBack(name);
        } else {
          const turn = turns.take(act.name);
          if (turn === undefined) held.push(act.name);
          else {
            const mark = act.name;
            waiting.push(mark);
            void turn.then(() => {
              waiting.splice(waiting.indexOf(mark), 1);
              held.push(mark);
            });
          }
        }
        await settle();
        if (!isRight()) return false;
      }
      // Nobody starves: when each gives back what it got, everybody is served.
      for (let rounds = acts.length; rounds > 0 && held.length > 0; rounds -= 1) {
        turns.giveBack(String(held.shift()));
        await settle();
      }
      return waiting.length === 0;
    },
  );
  await fc.assert(property, { numRuns: runs(200, 10_000) });
});
