import t from 'tap';
import { makeRecall } from '../../src/tenants/recall.ts';

/** A recall whose questions are counted, on a clock that the test sets. */
function counted(size = 10) {
  const clock = { now: 1_000_000 };
  const asked: string[] = [];
  const recall = makeRecall<string>({ now: () => new Date(clock.now), maxAge: 900, size });
  const ask = (name: string, answer: Promise<string | undefined> = Promise.resolve(`answer ${name}`)) =>
    recall(name, () => {
      asked.push(name);
      return answer;
    });
  return { clock, asked, ask };
}

t.test('an answer is used for less than maxAge', async (t) => {
  const { clock, asked, ask } = counted();
  await ask('a');
  clock.now += 899;
  t.equal(await ask('a'), 'answer a');
  t.same(asked, ['a']);
  clock.now += 1;
  await ask('a');
  t.same(asked, ['a', 'a']);
});

t.test('its age counts from before the question, however long the answer took', async (t) => {
  const { clock, asked, ask } = counted();
  let arrive = (_answer: string) => {};
  const slow = new Promise<string>((resolve) => {
    arrive = resolve;
  });
  const first = ask('a', slow);
  clock.now += 900;
  arrive('old');
  t.equal(await first, 'old');
  t.equal(await ask('a'), 'answer a');
  t.same(asked, ['a', 'a']);
});

t.test('callers that come during a question wait for its answer', async (t) => {
  const { asked, ask } = counted();
  t.same(await Promise.all([ask('a'), ask('a'), ask('b')]), ['answer a', 'answer a', 'answer b']);
  t.same(asked, ['a', 'b']);
});

t.test('what was not there is asked for again', async (t) => {
  const { asked, ask } = counted();
  t.equal(await ask('a', Promise.resolve(undefined)), undefined);
  t.equal(await ask('a'), 'answer a');
  t.same(asked, ['a', 'a']);
});

t.test('a failure reaches its callers and is not remembered', async (t) => {
  const { ask } = counted();
  await t.rejects(ask('a', Promise.reject(new Error('away'))), { message: 'away' });
  t.equal(await ask('a'), 'answer a');
});

t.test('a clock that was set back makes no answer young again', async (t) => {
  const { clock, asked, ask } = counted();
  await ask('a');
  clock.now -= 60_000;
  await ask('a');
  t.same(asked, ['a', 'a']);
});

t.test('the oldest answer makes room', async (t) => {
  const { clock, asked, ask } = counted(2);
  await ask('a');
  await ask('b');
  clock.now += 900;
  await ask('a');
  await ask('c');
  asked.length = 0;
  await Promise.all([ask('a'), ask('c')]);
  t.same(asked, [], 'b was older than the renewed a');
});
