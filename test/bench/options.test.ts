import t from 'tap';
import { isWanted, readOptions } from '../../bench/options.ts';

const CASES = ['get-user', 'list-first', 'list-deep'];

t.test('the command line says how much is measured', async (t) => {
  t.match(readOptions([], CASES), { mode: 'standard', only: [], scale: { users: [1_000, 100_000] } });
  t.equal(readOptions(['--quick'], CASES).mode, 'quick');
  t.match(readOptions(['--full', '--rounds', '9'], CASES), { mode: 'full', scale: { rounds: 9 } });
  t.same(readOptions(['--only', 'get-user', '--only', 'list'], CASES).only, ['get-user', 'list']);
  t.same(
    readOptions(['--only', 'get-user', 'list'], CASES).only,
    ['get-user', 'list'],
    'or one after the other',
  );
});

t.test('what does not hold is refused with what would', async (t) => {
  t.throws(() => readOptions(['--only', 'gets'], CASES), /no case gets.*get-user, list-first, list-deep/);
  t.throws(() => readOptions(['--quick', '--full'], CASES), /Either/);
  for (const rounds of ['0', 'many', '1.5']) {
    t.throws(() => readOptions(['--rounds', rounds], CASES), /--rounds is a number from 1/, rounds);
  }
  t.throws(() => readOptions(['--quickly'], CASES));
});

t.test('a case is wanted by its name or its beginning', async (t) => {
  t.same(
    CASES.filter((name) => isWanted(['list'], name)),
    ['list-first', 'list-deep'],
  );
});
