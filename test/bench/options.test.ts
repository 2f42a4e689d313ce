import t from 'tap';
import { isOfRun, OptionsError, readOptions } from '../../bench/options.ts';

const CASES = ['get-user', 'list-first', 'list-deep'];

t.test('the command line says how much is measured', async (t) => {
  t.match(readOptions([], CASES), { mode: 'standard', only: [], scale: { users: [1_000, 100_000] } });
  t.equal(readOptions(['--quick'], CASES).mode, 'quick');
  t.equal(readOptions(['--targets'], CASES).mode, 'targets');
  t.match(readOptions(['--full', '--rounds', '9'], CASES), { mode: 'full', scale: { rounds: 9 } });
  t.same(readOptions(['--only', 'get-user', '--only', 'list'], CASES).only, ['get-user', 'list']);
  t.same(
    readOptions(['--only', 'get-user', 'list'], CASES).only,
    ['get-user', 'list'],
    'or one after the other',
  );
});

const REFUSED: readonly (readonly [line: readonly string[], problem: RegExp])[] = [
  [['--only', 'gets'], /^No case is called "gets", or begins so. Cases:\n {2}get-user\n {2}list-first\n/],
  [['--only', ''], /^No case is called "", or/],
  [['--only', 'list', 'nothing'], /^No case is called "nothing", or/],
  [['--only'], /argument missing/],
  [['--quick', '--full'], /^Only one of --quick and --full is possible/],
  [['--quickly'], /^Unknown option '--quickly'/],
  ...['0', '', 'many', '1.5', '1e2', '100'].map(
    (rounds) => [['--rounds', rounds], /^--rounds is a whole number from 1 to 99, not "/] as const,
  ),
  [['--rounds=-1'], /^--rounds is a whole number/],
];

t.test('what does not hold is refused with what would', async (t) => {
  for (const [line, problem] of REFUSED) {
    try {
      readOptions(line, CASES);
      t.fail(`${line} is refused`);
    } catch (error) {
      t.ok(error instanceof OptionsError, String(error));
      const { message } = error as OptionsError;
      t.match(message, problem);
      t.match(message, /\nnpm run bench -- \[--quick/);
    }
  }
});

t.test('a run measures the cases that it names, or else those of its mode', async (t) => {
  const cases = [
    { name: 'get-user', quick: true, target: true },
    { name: 'list-first', target: true },
    { name: 'list-deep', quick: true, target: false },
    { name: 'put-user', target: false },
  ];
  const runs = [
    [{ mode: 'standard', only: [] }, ['get-user', 'list-first', 'list-deep', 'put-user']],
    [{ mode: 'full', only: [] }, ['get-user', 'list-first', 'list-deep', 'put-user']],
    [{ mode: 'quick', only: [] }, ['get-user', 'list-deep']],
    [{ mode: 'targets', only: [] }, ['get-user', 'list-first']],
    [{ mode: 'quick', only: ['list'] }, ['list-first', 'list-deep']],
    [{ mode: 'targets', only: ['put-user'] }, ['put-user']],
  ] as const;
  for (const [run, names] of runs) {
    t.same(
      cases.filter((each) => isOfRun(each, run)).map(({ name }) => name),
      names,
      `${run.mode} ${run.only}`,
    );
  }
});
