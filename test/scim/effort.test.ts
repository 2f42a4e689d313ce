import t from 'tap';
import { splitMemberOperations } from '../../src/scim/members.ts';
import { PATCH_OP } from '../../src/scim/messages.ts';
import { applyPatch, readPatch } from '../../src/scim/patch.ts';
import { CORE_USER, GROUP_TYPE, USER_TYPE } from '../../src/scim/resource-types.ts';
import type { JsonValue, Resource } from '../../src/scim/types.ts';
import { readResource } from '../../src/scim/validate.ts';
import { reading, refusal } from '../support/scim.ts';
import { add, remove, replace } from './patch-cases.ts';

/** What one PATCH may cost is counted, so that the same request always ends alike. */

const times = <Item>(count: number, make: (index: number) => Item) =>
  Array.from({ length: count }, (_, n) => make(n));
const read = (operations: JsonValue[], type = USER_TYPE) =>
  readPatch({ schemas: [PATCH_OP], Operations: operations }, type, reading());

/** A user with e-mail addresses of so many characters. */
function user(count: number, characters = 20): Resource {
  const emails = times(count, (n) => ({ value: `${n}@`.padEnd(characters, 'é'), type: 'work' }));
  return readResource({ schemas: [CORE_USER], userName: 'bjensen', emails }, USER_TYPE, reading());
}

const TOO_MUCH = /^invalidValue: .*compare too much.*500000.*several requests/;

t.test('the value paths of an honest PATCH are far below what it may cost', async (t) => {
  const operations = times(1_000, (n) =>
    replace(`emails[type eq "work" and value sw "${n % 20}@"].display`, `Display ${n}`),
  );
  const { emails } = applyPatch(user(20), read(operations), USER_TYPE);
  t.match((emails as JsonValue[])[19], { display: 'Display 999' });
  t.equal(
    (applyPatch(user(0), read(times(900, (n) => add('emails', { value: `${n}` }))), USER_TYPE).emails as [])
      .length,
    900,
  );
  const leavers = times(1_000, (n) => remove(`members[value eq "${n}-7f76-453a-919d-413861904646"]`));
  t.equal(splitMemberOperations(read(leavers, GROUP_TYPE)).steps.length, 1_000);
});

t.test('a PATCH that compares too much is refused', async (t) => {
  const terms = (count: number, term: string) => times(count, () => term).join(' or ');
  const patches: readonly [name: string, characters: number, operations: JsonValue[]][] = [
    ['many terms', 20, times(100, () => remove(`emails[${terms(31, 'value eq "x"')}]`))],
    ['terms that compare nothing', 20, times(100, () => remove(`emails[${terms(31, 'not (type pr)')}]`))],
    ['long texts', 500, times(200, () => remove('emails[value co "x" or value gt "z"]'))],
    ['every value written, again and again', 20, times(1_000, (n) => replace('emails.display', `${n}`))],
    [
      'every value written and then looked for',
      500,
      times(400, (n) => (n % 2 ? replace('emails.display', `${n}`) : remove('emails', [{ value: `${n}` }]))),
    ],
    [
      'value paths as names',
      20,
      [
        {
          op: 'add',
          value: Object.fromEntries(
            times(5_000, (n) => [`emails[type eq "work" or value eq "${n}"].display`, 'x']),
          ),
        },
      ],
    ],
  ];
  for (const [name, characters, operations] of patches) {
    const act = () => applyPatch(user(1_000, characters), read(operations), USER_TYPE);
    t.match(refusal(act), TOO_MUCH, name);
  }
});

t.test('a PATCH with too many value paths to read is refused', async (t) => {
  const path = `members[${times(500, () => 'value pr').join(' or ')}]`;
  t.match(
    refusal(() =>
      read(
        times(1_000, () => remove(path)),
        GROUP_TYPE,
      ),
    ),
    TOO_MUCH,
  );
  const names = Object.fromEntries(times(20_000, (n) => [`emails[value eq "${n}"].type`, 'x']));
  t.match(
    refusal(() => read([{ op: 'add', value: names }])),
    TOO_MUCH,
  );
});

t.test('a PATCH may ask 20 times which members a filter matches', async (t) => {
  const split = (count: number) =>
    splitMemberOperations(
      read(
        times(count, () => remove('members[type eq "User"]')),
        GROUP_TYPE,
      ),
    );
  t.equal(split(20).steps.length, 20);
  t.match(
    refusal(() => split(21)),
    /^invalidValue: .*20 value paths.*value eq/,
  );
});
