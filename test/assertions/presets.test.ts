import t from 'tap';
import { readFacts } from '../../src/assertions/facts.ts';
import type { Facts } from '../../src/assertions/types.ts';
import { assertionOf, READING } from '../support/assertions.ts';
import { VENDORS } from '../support/vendors.ts';

/** Each vendor's assertions and tokens in their documented form, read by its preset alone. */

for (const { what, preset, kind, subject = 'subject', attributes, facts } of VENDORS) {
  t.test(`${what}: the preset reads it`, async (t) => {
    const read = readFacts(assertionOf(subject, attributes), { ...READING, preset, kind });
    for (const [name, value] of Object.entries(facts)) t.same(read[name as keyof Facts], value, name);
  });
}

t.test('with no preset what every vendor sends is read too, but for who it is', async (t) => {
  for (const { what, kind, attributes, facts } of VENDORS) {
    const read = readFacts(assertionOf('subject', attributes), { ...READING, kind });
    t.equal(read.email, facts.email ?? null, what);
    t.same([read.givenName, read.familyName], [facts.givenName ?? null, facts.familyName ?? null], what);
  }
});
