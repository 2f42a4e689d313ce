import fc from 'fast-check';
import t from 'tap';
import { filters, targetsOf } from '../../oracle/arbitraries.ts';
import { OWN_EXTENSION } from '../../oracle/extension.ts';
import { brokenTexts } from '../../oracle/fuzz.ts';
import { readTypeSchema } from '../../oracle/schema.ts';
import { chooser, writeFilter } from '../../oracle/write.ts';
import { startApp } from '../../support/app.ts';
import { clientOf } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';
import { requireAnswered } from '../../support/fuzzing.ts';
import { runs, SEED } from '../../support/runs.ts';

/** Filters that are almost right, through HTTP and PostgreSQL: answered or refused. */

t.comment(`ROLLCALL_SEED=${SEED}`);
const app = await startApp(t);
const tenant = await app.createTenant();
await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, OWN_EXTENSION);
const client = clientOf(app, await app.scimKey(tenant));
const users = await readTypeSchema(client, '/Users');
const ada = await client.user('ada', { emails: [{ value: 'a@x', type: 'work' }] });

const valid = fc
  .tuple(filters(targetsOf(users, [ada])), fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 }))
  .map(([node, all]) => writeFilter(node, users, chooser(all)));
const lists = fc.record({
  filter: brokenTexts(valid),
  endpoint: fc.constantFrom('/Users', '/Groups'),
  count: fc.nat(2),
  inUrl: fc.boolean(),
});

meets(
  t,
  [130, 139, 145],
  '20,000 broken filters are answered or refused, in GET and in .search',
  async (t) => {
    t.equal(users.extensions.length, 2, 'the enterprise schema and the tenant’s own');
    await fc.assert(
      fc.asyncProperty(lists, async ({ filter, endpoint, count, inUrl }) => {
        // A lone surrogate has no form in a URL.
        const byGet = inUrl && filter.isWellFormed() && filter.length < 8_000;
        const answer = byGet
          ? await client.list(endpoint, filter, `&count=${count}`)
          : await client.ask('POST', `${endpoint}/.search`, { filter, count });
        requireAnswered(answer, filter);
      }),
      { numRuns: runs(20_000, 100_000), seed: SEED, skipEqualValues: true, endOnFailure: true },
    );
  },
);
