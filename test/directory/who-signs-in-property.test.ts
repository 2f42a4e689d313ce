import fc from 'fast-check';
import t from 'tap';
import type { Person } from '../../src/directory/who-signs-in.ts';
import { runs, SEED } from '../support/runs.ts';
import {
  type Case,
  DELETED,
  decide,
  FACTS,
  NO_EMAIL,
  REJECTED,
  UNVERIFIED,
} from '../support/who-signs-in.ts';

/** Who signs in, whatever was read: nobody comes in whom a rule keeps out. */

const anybody: fc.Arbitrary<Person> = fc.record({
  id: fc.constantFrom('ada', 'bob'),
  how: fc.constantFrom('link', 'externalId', 'externalId', 'userName', 'userName', 'email', 'email'),
  version: fc.constant(1),
  active: fc.constantFrom(true, true, false),
  managed: fc.boolean(),
  userNameFolded: fc.constantFrom('ada', 'ada@acme.test', 'bob'),
  externalId: fc.constantFrom(null, '00u1'),
  directory: fc.constant('default'),
  proof: fc.constantFrom('matched', 'admin', 'created'),
  subject: fc.constantFrom(null, null, null, '00u2'),
  owner: fc.constantFrom(false, false, true),
});
const anything: fc.Arbitrary<Required<Case>> = fc.record({
  people: fc.array(anybody, { maxLength: 3 }),
  facts: fc.constantFrom({}, {}, NO_EMAIL, UNVERIFIED),
  rules: fc.record({
    jit: fc.constantFrom('off', 'standard', 'enhanced'),
    provisioning: fc.constantFrom('combined', 'scim', 'jit'),
    linkByEmail: fc.constantFrom('never', 'verified_domains', 'verified_domains'),
    userNameMustBeEmail: fc.boolean(),
    matchManaged: fc.constantFrom([], ['externalId'], ['userName'], ['externalId', 'userName']),
    matchDirectory: fc.constant(null),
    anybody: fc.constantFrom(false, false, true),
    domainVerified: fc.constantFrom(true, true, false),
    invited: fc.boolean(),
    domainOpens: fc.boolean(),
    unverifiedWaits: fc.boolean(),
  }),
  obstacles: fc.constantFrom({}, {}, {}, REJECTED, DELETED),
});

/** Whether an address may link the person. */
function mayLinkByEmail({ facts, rules }: Required<Case>, { managed, owner }: Person): boolean {
  const { email, emailVerified } = { ...FACTS, ...facts };
  const wanted = rules.linkByEmail === 'verified_domains' && rules.domainVerified === true;
  return wanted && email !== null && emailVerified && !managed && !owner;
}

t.test('nobody comes in who is not active, by an address only where every condition holds', async (t) => {
  const seen = { linked: 0, managed: 0, byEmail: 0, created: 0 };
  const property = fc.property(anything, (asked) => {
    const decision = decide(asked);
    if (decision.kind === 'create') {
      seen.created += 1;
      const isBack = asked.obstacles.deletedIdentity !== undefined;
      return asked.obstacles.rejected !== true && (!isBack || asked.rules.invited === true);
    }
    if (decision.kind === 'refuse') return true;
    const { person, linked } = decision;
    if (!person.active) return false;
    seen[linked ? 'linked' : person.managed ? 'managed' : 'byEmail'] += 1;
    if (linked) return person.how === 'link';
    if (person.subject !== null || asked.obstacles.rejected === true) return false;
    if (person.managed) return asked.rules.matchManaged?.some((key) => key === person.how) ?? false;
    const isBack = asked.obstacles.deletedIdentity !== undefined;
    return mayLinkByEmail(asked, person) && (!isBack || asked.rules.invited === true);
  });
  fc.assert(property, { numRuns: runs(5_000, 200_000), seed: SEED });
  for (const [way, times] of Object.entries(seen)) t.ok(times > 5, `came in, ${way}: ${times}`);
});
