import t from 'tap';
import { FIRST_CHUNK, nextChunk } from '../../src/worker/job-pace.ts';

t.test('a chunk grows and shrinks towards half a second, by half or to twice as many', (t) => {
  t.equal(nextChunk(FIRST_CHUNK, 500), FIRST_CHUNK);
  t.equal(nextChunk(2_000, 400), 2_500);
  t.equal(nextChunk(2_000, 1), 4_000);
  t.equal(nextChunk(2_000, 60_000), 1_000);
  t.equal(nextChunk(16_000, 1), 16_000);
  t.equal(nextChunk(500, 60_000), 500);
  t.equal(nextChunk(2_000, 0), 4_000);
  t.end();
});
