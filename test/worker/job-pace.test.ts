import t from 'tap';
import { FIRST_CHUNK, nextChunk, openPace } from '../../src/worker/job-pace.ts';

t.test('a chunk goes towards half a second: down at once, up to twice as many', (t) => {
  t.equal(nextChunk(2_000, 500), 2_000);
  t.equal(nextChunk(2_000, 400), 2_500);
  t.equal(nextChunk(2_000, 1), 4_000);
  t.equal(nextChunk(2_000, 0), 4_000);
  t.equal(nextChunk(16_000, 4_000), 2_000);
  t.equal(nextChunk(16_000, 1), 16_000);
  t.equal(nextChunk(500, 60_000), 500);
  t.end();
});

t.test('each job begins anew, and a chunk that failed is tried again with half', (t) => {
  const pace = openPace();
  t.equal(pace.chunkOf('cheap'), FIRST_CHUNK);
  pace.note({ job: 'cheap', users: 2_000 }, 10);
  pace.note({ job: 'cheap', users: 4_000 }, 10);
  t.equal(pace.chunkOf('cheap'), 8_000);
  t.equal(pace.chunkOf('dear'), FIRST_CHUNK);
  pace.note({ job: 'dear', users: undefined }, 15_000);
  t.equal(pace.chunkOf('dear'), FIRST_CHUNK / 2);
  pace.note({ job: 'dear', users: 300 }, 10);
  t.equal(pace.chunkOf('dear'), FIRST_CHUNK / 2, 'what ended early and soon says nothing');
  pace.note({ job: 'dear', users: 900 }, 600);
  t.equal(pace.chunkOf('dear'), 750, 'what took too long does');
  t.equal(pace.chunkOf('cheap'), 8_000, 'whichever comes between');
  for (let n = 0; n < 100; n += 1) pace.note({ job: `other ${n}`, users: 2_000 }, 500);
  t.equal(pace.chunkOf('cheap'), FIRST_CHUNK, 'until many have');
  t.end();
});
