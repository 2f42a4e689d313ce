import { pino } from 'pino';
import t from 'tap';
import { type Loop, startLoop, type Turn } from '../../src/worker/loop.ts';

const NEVER = { shortest: 3_600_000, longest: 3_600_000 };
const SOON = { shortest: 1, longest: 4 };

/** A logger whose lines can be looked at. */
function memoryLog() {
  const lines: Record<string, unknown>[] = [];
  return { log: pino({}, { write: (line) => lines.push(JSON.parse(line)) }), lines };
}

/** A turn that answers from a script; `reached` resolves when the script has come to its end. */
function scripted(script: readonly (Turn | Error)[]) {
  let at = 0;
  let arrived = () => {};
  const reached = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const turn = async (): Promise<Turn> => {
    const next = script[at] ?? 'none';
    at += 1;
    if (at === script.length) arrived();
    if (next instanceof Error) throw next;
    return next;
  };
  return { turn, reached, turns: () => at };
}

t.test('while there is more, turns follow each other without a wait', async (t) => {
  const { turn, reached, turns } = scripted(['more', 'more', 'more', 'some']);
  const loop = startLoop({ name: 'test', turn, idle: NEVER, log: memoryLog().log });
  await reached;
  await loop.stop();
  t.equal(turns(), 4);
});

t.test('without more, the next turn comes after the idle time', async (t) => {
  const { turn, reached } = scripted(['some', 'none', 'none', 'none', 'some', 'none']);
  const loop = startLoop({ name: 'test', turn, idle: SOON, log: memoryLog().log });
  await t.resolves(reached);
  await loop.stop();
});

t.test('a nudge ends the wait', async (t) => {
  const { turn, reached } = scripted(['none', 'none']);
  const loop = startLoop({ name: 'test', turn, idle: NEVER, log: memoryLog().log });
  setImmediate(() => loop.nudge());
  await t.resolves(reached);
  await loop.stop();
});

t.test('a nudge in the middle of a turn lets the next follow', async (t) => {
  const { turn, reached } = scripted(['none', 'none']);
  const loop: Loop = startLoop({
    name: 'test',
    async turn() {
      const done = await turn();
      loop.nudge();
      return done;
    },
    idle: NEVER,
    log: memoryLog().log,
  });
  await t.resolves(reached);
  await loop.stop();
});

t.test('a turn that throws is logged and runs again', async (t) => {
  const { log, lines } = memoryLog();
  const { turn, reached } = scripted([new Error('one'), new Error('two'), 'none']);
  const loop = startLoop({ name: 'seal', turn, idle: NEVER, log });
  await t.resolves(reached);
  await loop.stop();
  t.match(lines, [
    { loop: 'seal', failures: 1, err: { message: 'one' } },
    { loop: 'seal', failures: 2, err: { message: 'two' } },
  ]);
});

t.test('no nudge shortens the wait after a failure', async (t) => {
  const { turn, turns } = scripted([new Error('away')]);
  const { log } = memoryLog();
  const loop = startLoop({ name: 'test', turn, idle: NEVER, log });
  await new Promise(setImmediate);
  loop.nudge();
  await new Promise(setImmediate);
  t.equal(turns(), 1);
  await loop.stop();
});

t.test('stop waits for the turn at work, and lets none begin after it', async (t) => {
  let finish = () => {};
  let turns = 0;
  const loop = startLoop({
    name: 'test',
    turn: () => {
      turns += 1;
      return new Promise<Turn>((resolve) => {
        finish = () => resolve('more');
      });
    },
    idle: SOON,
    log: memoryLog().log,
  });
  let stopped = false;
  const stop = loop.stop().then(() => {
    stopped = true;
  });
  await new Promise(setImmediate);
  t.equal(stopped, false);
  finish();
  await stop;
  t.equal(turns, 1);
});
