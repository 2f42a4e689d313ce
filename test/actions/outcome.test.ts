import pg from 'pg';
import t from 'tap';
import { heldAfterLoss } from '../../src/actions/outcome.ts';

/** Lists of requests, of which each has its own outcome: the mechanism, without a database. */

/** As PostgreSQL refuses a transaction that waited for a lock in vain. */
const refusal = Object.assign(new pg.DatabaseError('no', 2, 'error'), { code: '55P03' });

t.test('of those who lost a race only those fail who are the reason', async (t) => {
  const held: string[][] = [];
  const outcomes = await heldAfterLoss(
    ['a', 'b', 'bad', 'c'],
    async (requests) => requests.map((value) => (value === 'a' ? { value } : 'moved')),
    async (requests) => {
      held.push([...requests]);
      if (requests.includes('bad')) throw refusal;
      return requests.map((value) => ({ value }));
    },
  );
  t.same(held, [['b', 'bad', 'c'], ['b'], ['bad'], ['c']]);
  t.same(outcomes, [{ value: 'a' }, { value: 'b' }, { refusal }, { value: 'c' }]);
});

t.test('where nobody knows whether those who lost were written, nobody is written again', async (t) => {
  const error = new Error('Connection terminated unexpectedly');
  let times = 0;
  const outcomes = await heldAfterLoss<string, string>(
    ['a', 'b'],
    async (requests) => requests.map(() => 'moved'),
    async () => {
      times += 1;
      throw error;
    },
  );
  t.same(outcomes, [{ refusal: error }, { refusal: error }]);
  t.equal(times, 1);
});
