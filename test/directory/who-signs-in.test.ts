import t from 'tap';
import {
  byAddress,
  byEmail,
  byExternalId,
  byUserName,
  type Case,
  DELETED,
  DELETED_NAME,
  decide,
  IN_HR,
  INVITED,
  linked,
  NEVER,
  NO_EMAIL,
  OFF,
  OTHER,
  person,
  REJECTED,
  UNVERIFIED,
} from '../support/who-signs-in.ts';

/** Who signs in: each rule, and which of two rules decides. */

/** The decision in words. */
function told(each: Case): string {
  const decision = decide(each);
  if (decision.kind === 'create') return `create ${decision.userName}`;
  if (decision.kind === 'enter') return `${decision.linked ? 'enter' : 'link'} ${decision.person.id}`;
  return [decision.conflict ?? decision.reason, decision.person?.id].filter(Boolean).join(' ');
}

const CASES: Readonly<Record<string, readonly [sentence: string, asked: Case, decision: string][]>> = {
  'the link': [
    ['decides who it is', { people: [linked()] }, 'enter ada'],
    ['holds for whom a directory manages', { people: [linked({ managed: true })] }, 'enter ada'],
    ['holds for an owner', { people: [linked({ owner: true })] }, 'enter ada'],
    ['revives nobody', { people: [linked(OFF)] }, 'deactivated ada'],
    ['comes before a rejection', { people: [linked()], obstacles: REJECTED }, 'enter ada'],
    ['comes before an externalId', { people: [linked(), byExternalId('bob')] }, 'enter ada'],
    ['of who was created by it holds', { people: [linked({ proof: 'created' })] }, 'enter ada'],
    [
      'of who was created by it does not hold for whom a directory has adopted by the name',
      { people: [linked({ proof: 'created', managed: true, directory: 'default' })] },
      'adopted_by_directory ada',
    ],
    [
      'holds for them where the directory means the same person',
      { people: [linked({ proof: 'created', managed: true, directory: 'default', externalId: '00u1' })] },
      'enter ada',
    ],
    [
      'or calls them by a name that the provider vouches for',
      { people: [linked({ proof: 'created', managed: true, directory: 'default', userNameFolded: 'ada' })] },
      'enter ada',
    ],
    ['of an admin holds in any case', { people: [linked({ proof: 'admin', managed: true })] }, 'enter ada'],
    ['comes before a tombstone', { people: [linked()], obstacles: DELETED }, 'enter ada'],
    ['comes before an address', { people: [linked(), byEmail('bob')] }, 'enter ada'],
    ['holds with JIT off', { people: [linked()], rules: { jit: 'off' } }, 'enter ada'],
    [
      'holds where SCIM alone provisions',
      { people: [linked()], rules: { provisioning: 'scim' } },
      'enter ada',
    ],
    [
      'holds where every other way is shut',
      {
        people: [linked()],
        facts: NO_EMAIL,
        rules: { ...NEVER, matchManaged: [], userNameMustBeEmail: true },
      },
      'enter ada',
    ],
  ],
  'a rejected identity': [
    ['is nobody', { obstacles: REJECTED }, 'rejected'],
    ['comes before an externalId', { people: [byExternalId('ada')], obstacles: REJECTED }, 'rejected'],
    ['comes before a tombstone', { obstacles: { ...REJECTED, ...DELETED } }, 'rejected'],
    ['comes before an address', { people: [byEmail('ada')], obstacles: REJECTED }, 'rejected'],
    ['comes before an invitation', { rules: { invited: true }, obstacles: REJECTED }, 'rejected'],
  ],
  'whom a directory manages': [
    ['is found by externalId', { people: [byExternalId('ada')] }, 'link ada'],
    ['is found by userName', { people: [byUserName('ada')] }, 'link ada'],
    [
      'is found by userName in any case',
      { people: [byUserName('ada')], facts: { vouchedNames: ['ADA'] } },
      'link ada',
    ],
    [
      'is not found by a name that the person may have chosen',
      { people: [byUserName('ada')], facts: { vouchedNames: ['00u1'] } },
      'create Ada@acme.test',
    ],
    [
      'is found in the one directory that counts',
      { people: [byExternalId('ada', { directory: 'hr' })], ...IN_HR },
      'link ada',
    ],
    ['is not found in another', { people: [byExternalId('ada')], ...IN_HR }, 'create Ada@acme.test'],
    ['is not found by name in another', { people: [byUserName('ada')], ...IN_HR }, 'create Ada@acme.test'],
    [
      'is found by the externalId, whatever tells the subject apart',
      { people: [byExternalId('ada')], facts: { subject: 'tenant:00u1' } },
      'link ada',
    ],
    [
      'is found by a verified address',
      { people: [byAddress('ada', { managed: true })], rules: NEVER },
      'link ada',
    ],
    [
      'is not found by an unverified one',
      { people: [byAddress('ada', { managed: true })], facts: UNVERIFIED },
      'email_unverified ada',
    ],
    ['is found with JIT off', { people: [byUserName('ada')], rules: { jit: 'off' } }, 'link ada'],
    ['may be an owner', { people: [byExternalId('ada', { owner: true })] }, 'link ada'],
    ['is not revived', { people: [byExternalId('ada', OFF)] }, 'deactivated ada'],
    ['is found by externalId first', { people: [byUserName('bob'), byExternalId('ada')] }, 'link ada'],
    [
      'or in the order that the provider has',
      {
        people: [byUserName('bob'), byExternalId('ada')],
        rules: { matchManaged: ['userName', 'externalId'] },
      },
      'link bob',
    ],
    [
      'is not found by an externalId that does not count',
      { people: [byExternalId('ada')], rules: { matchManaged: ['userName'] } },
      'create Ada@acme.test',
    ],
    [
      'is not found by a userName that does not count',
      { people: [byUserName('ada')], rules: { matchManaged: ['externalId'] } },
      'create Ada@acme.test',
    ],
    ['is one person, found twice', { people: [byExternalId('ada'), byUserName('ada')] }, 'link ada'],
    ['is nobody of two', { people: [byExternalId('ada'), byExternalId('bob')] }, 'ambiguous ada'],
    [
      'is not chosen of two by the next key',
      { people: [byExternalId('ada'), byExternalId('bob'), byUserName('bob')] },
      'ambiguous ada',
    ],
    [
      'is not who has another subject',
      { people: [byExternalId('ada', OTHER)] },
      'linked_to_another_subject ada',
    ],
    [
      'is not who has another subject, though the next key finds somebody',
      { people: [byExternalId('ada', OTHER), byUserName('bob')] },
      'linked_to_another_subject ada',
    ],
    [
      'is told apart from who is deactivated',
      { people: [byExternalId('ada', { ...OTHER, ...OFF })] },
      'linked_to_another_subject ada',
    ],
    ['comes before a tombstone', { people: [byUserName('ada')], obstacles: DELETED }, 'link ada'],
    ['comes before an address', { people: [byUserName('ada'), byEmail('bob')] }, 'link ada'],
  ],
  'whom no directory manages': [
    [
      'is not found by externalId',
      { people: [byExternalId('ada', { managed: false })] },
      'create Ada@acme.test',
    ],
    ['is not found by userName', { people: [byUserName('ada', { managed: false })] }, 'create Ada@acme.test'],
  ],
  'a deleted user': [
    ['does not come back', { obstacles: DELETED }, 'deprovisioned'],
    ['comes before an address', { people: [byEmail('bob')], obstacles: DELETED }, 'deprovisioned'],
    ['does not come back by a name', { obstacles: DELETED_NAME }, 'deprovisioned'],
    [
      'does not stand against who has the address by now',
      { people: [byEmail('bob')], obstacles: DELETED_NAME },
      'link bob',
    ],
    [
      'does not stand against who has the name by now',
      { people: [byAddress('bob')], rules: NEVER, obstacles: DELETED_NAME },
      'user_name_taken bob',
    ],
    [
      'comes before a taken name',
      { people: [byAddress('bob')], rules: NEVER, obstacles: DELETED },
      'deprovisioned',
    ],
    ['comes back if an admin invites them', { ...INVITED, obstacles: DELETED }, 'create Ada@acme.test'],
    [
      'does not come back by the rule of a domain',
      { rules: { domainOpens: true }, obstacles: DELETED },
      'deprovisioned',
    ],
    ['is told so with JIT off', { rules: { jit: 'off' }, obstacles: DELETED }, 'deprovisioned'],
  ],
  'an address': [
    ['links', { people: [byEmail('ada')] }, 'link ada'],
    ['links as the userName too', { people: [byAddress('ada')] }, 'link ada'],
    ['links with JIT off', { people: [byEmail('ada')], rules: { jit: 'off' } }, 'link ada'],
    ['revives nobody', { people: [byEmail('ada', OFF)] }, 'deactivated ada'],
    [
      'of who is deactivated makes no second user',
      { people: [byEmail('ada', OFF)], rules: NEVER },
      'deactivated ada',
    ],
    ['unverified makes none either', { people: [byEmail('ada', OFF)], facts: UNVERIFIED }, 'deactivated ada'],
    [
      'makes one if an admin invites them',
      { people: [byEmail('ada', OFF)], rules: { ...NEVER, invited: true } },
      'create Ada@acme.test',
    ],
    [
      'does not link where the tenant does not want it',
      { people: [byEmail('ada')], rules: NEVER },
      'create Ada@acme.test',
    ],
    ['does not link unverified', { people: [byEmail('ada')], facts: UNVERIFIED }, 'create Ada@acme.test'],
    [
      'does not link where the domain is not proved',
      { people: [byEmail('ada')], rules: { domainVerified: false } },
      'create Ada@acme.test',
    ],
    ['that is not there links nobody', { people: [byEmail('ada')], facts: NO_EMAIL }, 'create 00u1'],
    ['links no owner', { people: [byEmail('ada', { owner: true })] }, 'email_of_owner ada'],
    [
      'does not link whom a directory manages',
      { people: [byEmail('ada', { managed: true })] },
      'managed_by_directory ada',
    ],
    [
      'does not link by a userName of a directory that does not count',
      { people: [byAddress('ada', { managed: true })], rules: { matchManaged: [] } },
      'managed_by_directory ada',
    ],
    [
      'does not link who has another subject',
      { people: [byEmail('ada', OTHER)] },
      'linked_to_another_subject ada',
    ],
    ['links nobody of two', { people: [byEmail('ada'), byAddress('bob')] }, 'ambiguous ada'],
    [
      'tells of two before it tells of an owner',
      { people: [byEmail('ada', { owner: true }), byEmail('bob')] },
      'ambiguous ada',
    ],
    [
      'tells of the subject before it tells of the directory',
      { people: [byEmail('ada', { ...OTHER, managed: true, owner: true })] },
      'linked_to_another_subject ada',
    ],
    [
      'tells of the directory before it tells of an owner',
      { people: [byEmail('ada', { managed: true, owner: true })] },
      'managed_by_directory ada',
    ],
    [
      'tells of an owner before it tells who is deactivated',
      { people: [byEmail('ada', { ...OFF, owner: true })] },
      'email_of_owner ada',
    ],
  ],
  'a taken name': [
    ['is a conflict', { people: [byAddress('ada')], rules: NEVER }, 'user_name_taken ada'],
    [
      'is one where the address is not verified',
      { people: [byAddress('ada')], facts: UNVERIFIED },
      'email_unverified ada',
    ],
    [
      'is none of verification where addresses never link',
      { people: [byAddress('ada')], facts: UNVERIFIED, rules: NEVER },
      'user_name_taken ada',
    ],
    [
      'is one where the domain is not proved',
      { people: [byAddress('ada')], rules: { domainVerified: false } },
      'user_name_taken ada',
    ],
    [
      'is one of another subject',
      { people: [byAddress('ada', OTHER)], rules: NEVER },
      'linked_to_another_subject ada',
    ],
    [
      'is the subject, where there is no address',
      { people: [person('ada', 'userName', { userNameFolded: '00u1' })], facts: NO_EMAIL },
      'user_name_taken ada',
    ],
    [
      'comes before JIT that is off',
      { people: [byAddress('ada')], rules: { ...NEVER, jit: 'off' } },
      'user_name_taken ada',
    ],
    [
      'comes before an invitation',
      { people: [byAddress('ada')], rules: { ...NEVER, invited: true } },
      'user_name_taken ada',
    ],
  ],
  'somebody unknown': [
    ['is created by the address', {}, 'create Ada@acme.test'],
    [
      'is not created where the address only waits',
      { rules: { jit: 'off', unverifiedWaits: true } },
      'email_unverified',
    ],
    [
      'is created where more than an address lets them',
      { rules: { unverifiedWaits: true } },
      'create Ada@acme.test',
    ],
    [
      'is created with JIT off, where the domain opens',
      { rules: { jit: 'off', domainOpens: true } },
      'create Ada@acme.test',
    ],
    [
      'of any organisation is created in a proved domain',
      { rules: { anybody: true } },
      'create Ada@acme.test',
    ],
    ['is not created in another', { rules: { anybody: true, domainVerified: false } }, 'foreign_domain'],
    [
      'is created in another if an admin invites them',
      { rules: { anybody: true, domainVerified: false, invited: true } },
      'create Ada@acme.test',
    ],
    ['or what else stands for a name', { facts: NO_EMAIL }, 'create 00u1'],
    ['is created in standard mode', { rules: { jit: 'standard' } }, 'create Ada@acme.test'],
    ['is not created with JIT off', { rules: { jit: 'off' } }, 'unknown_user'],
    ['is not created where SCIM alone provisions', { rules: { provisioning: 'scim' } }, 'unknown_user'],
    ['is created where JIT alone provisions', { rules: { provisioning: 'jit' } }, 'create Ada@acme.test'],
    ['is created with JIT off, if invited', { rules: { jit: 'off', invited: true } }, 'create Ada@acme.test'],
    [
      'has an address where it must be the userName',
      { rules: { userNameMustBeEmail: true } },
      'create Ada@acme.test',
    ],
    [
      'may have it as a name',
      { facts: { ...NO_EMAIL, userName: 'ada@acme.test' }, rules: { userNameMustBeEmail: true } },
      'create ada@acme.test',
    ],
    [
      'is not created without one',
      { facts: NO_EMAIL, rules: { userNameMustBeEmail: true } },
      'attribute_missing',
    ],
    [
      'is told that nobody is created before what is missing for it',
      { facts: NO_EMAIL, rules: { jit: 'off', userNameMustBeEmail: true } },
      'unknown_user',
    ],
  ],
};

for (const [subject, cases] of Object.entries(CASES)) {
  for (const [sentence, asked, decision] of cases) {
    t.test(`${subject} ${sentence}`, async (t) => {
      t.equal(told(asked), decision);
    });
  }
}

t.test('the steps are the questions in their order, up to the one that decides', async (t) => {
  const checks = [
    'identity_link',
    'not_rejected',
    'managed_user',
    'not_deprovisioned',
    'email_link',
    'user_name_free',
    'not_deactivated',
    'may_create',
  ];
  const stepsOf = (asked: Case) =>
    decide(asked).steps.map(({ check, passed }) => (passed ? check : `not ${check}`));
  t.same(stepsOf({}), checks);
  t.same(stepsOf({ people: [linked()] }), checks.slice(0, 1));
  t.same(stepsOf({ obstacles: DELETED }), [...checks.slice(0, 3), 'not not_deprovisioned']);
  t.same(stepsOf({ people: [byEmail('ada')] }), checks.slice(0, 5));
  t.equal(decide({ people: [byEmail('ada')] }).steps.at(-1)?.detail, 'user ada, found by email');
});
