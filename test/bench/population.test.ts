import t from 'tap';
import { groupNamed, populationOf, spread, userId, userOf } from '../../bench/population.ts';

t.test('the people of a directory differ from each other and from those of another', async (t) => {
  const populations = [1_000, 10_000].map(populationOf);
  const ids = populations.flatMap((population) =>
    Array.from({ length: population.users }, (_, n) => userId(population, n)),
  );
  t.equal(new Set(ids).size, 11_000);
  const names = populations.map((population) => userOf(population, 5).userName);
  t.equal(new Set(names).size, 2);
});

t.test('turns go over all users before one comes again', async (t) => {
  const population = populationOf(1_000);
  const seen = new Set(Array.from({ length: 1_000 }, (_, turn) => spread(population, turn)));
  t.equal(seen.size, 1_000);
});

t.test('a directory has groups of every size that fits into it', async (t) => {
  const { groups, everybody } = populationOf(1_000);
  t.same(
    groups.map(({ displayName }) => displayName),
    ['Members 10', 'Members 1000', 'Crowded', 'Mapped'],
  );
  t.equal(everybody.members, 1_000);
  t.equal(groupNamed(populationOf(1_000), 'Members 1000').members, 1_000);
  t.throws(() => groupNamed(populationOf(1_000), 'Members 100000'), /no group/);
});
