import { pino } from 'pino';
import t from 'tap';
import { openSamlVerifier } from '../../../src/assertions/saml/pool.ts';
import { openThreads } from '../../../src/assertions/saml/threads.ts';
import { AssertionError } from '../../../src/assertions/types.ts';
import { AppError } from '../../../src/errors.ts';
import { make, makeEncrypted, NOW, OTHER, PROVIDER, posted, SUBJECT } from './identity-provider.ts';
import type { Order } from './obedient-thread.ts';

const log = pino({ level: 'silent' });
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

t.test(
  'what a thread verified is what the verification answers, with its map, its dates and its reasons',
  async (t) => {
    const verifier = openSamlVerifier({ log });
    t.teardown(() => verifier.close());
    const verified = await verifier.verify(PROVIDER, posted(make()), { now: NOW, requestId: '_request' });
    t.equal(verified.subject, SUBJECT);
    t.same(verified.attributes.get('groups'), ['R&D', 'Analysts']);
    t.same(verified.expiresAt, new Date('2026-02-03T10:06:00Z'));
    t.equal((await verifier.verify(PROVIDER, posted(await makeEncrypted()), { now: NOW })).subject, SUBJECT);

    const forged = posted(make({ signing: { key: OTHER } }));
    const refused = await caught(verifier.verify(PROVIDER, forged, { now: NOW }));
    t.ok(refused instanceof AssertionError);
    t.match(refused, { reason: 'signature', message: /certificate/ });
    t.match(refused, {
      checks: [
        { check: 'document', passed: true },
        { check: 'signature', passed: false },
      ],
    });
  },
);

t.test('many sign-ins at once get each its own answer', async (t) => {
  const verifier = openSamlVerifier({ log });
  t.teardown(() => verifier.close());
  const people = Array.from({ length: 20 }, (_, index) => `person-${index}@example.com`);
  const documents = people.map((person) =>
    posted(make({ before: (xml) => xml.replaceAll(SUBJECT, person) })),
  );
  const verified = await Promise.all(
    documents.map((document) => verifier.verify(PROVIDER, document, { now: NOW })),
  );
  t.same(
    verified.map(({ subject }) => subject),
    people,
  );
});

const MODULE = new URL('./obedient-thread.js', import.meta.url);
const LIMITS = { log, threads: 1, patience: 60_000, waiting: 3 };

t.test('a thread that dies fails its own task, and the next task gets a new thread', async (t) => {
  const threads = openThreads<Order, string>(MODULE, LIMITS);
  t.teardown(() => threads.close());
  const outcomes = await Promise.all([
    caught(threads.run('die')),
    threads.run('answer'),
    caught(threads.run('throw')),
    threads.run('answer'),
  ]);
  t.match(outcomes[0], { code: 'unavailable' });
  t.equal(outcomes[1], 'answer');
  t.match(outcomes[2], { code: 'unavailable' });
  t.equal(outcomes[3], 'answer');
});

t.test('a task that takes too long is given up with its thread, and the next one is not', async (t) => {
  const threads = openThreads<Order, string>(MODULE, { ...LIMITS, patience: 2_000 });
  t.teardown(() => threads.close());
  const outcomes = await Promise.all([caught(threads.run('hang')), threads.run('answer')]);
  t.match(outcomes[0], { code: 'unavailable', message: /too long/ });
  t.equal(outcomes[1], 'answer');
});

t.test('when too many wait, the next is refused at once', async (t) => {
  const threads = openThreads<Order, string>(MODULE, LIMITS);
  t.teardown(() => threads.close());
  const running = Array.from({ length: 4 }, () => threads.run('answer'));
  t.match(await caught(threads.run('answer')), { code: 'unavailable', message: /Too many/ });
  t.same(await Promise.all(running), ['answer', 'answer', 'answer', 'answer']);
});

t.test('closing refuses what runs, what waits, and what comes', async (t) => {
  const threads = openThreads<Order, string>(MODULE, LIMITS);
  const running = [caught(threads.run('hang')), caught(threads.run('answer'))];
  await threads.close();
  for (const error of [...(await Promise.all(running)), await caught(threads.run('answer'))]) {
    t.ok(error instanceof AppError && error.code === 'unavailable');
  }
});
