import t from 'tap';
import { parseElementFilter, parseFilter } from '../../src/scim/filter.ts';
import { matchesElement, seedFromFilter } from '../../src/scim/match.ts';
import { resolveAttributePath } from '../../src/scim/path.ts';
import { USER_TYPE } from '../../src/scim/resource-types.ts';
import type { Attribute, FilterNode, JsonValue, ResourceType } from '../../src/scim/types.ts';
import { reading } from '../support/scim.ts';

const title = USER_TYPE.schema.attributes.find(({ name }) => name === 'title') as Attribute;
const attribute = (name: string, more: Partial<Attribute>): Attribute => ({ ...title, name, ...more });

/** A type with one multi-valued attribute of every kind. */
const TYPE: ResourceType = {
  ...USER_TYPE,
  schema: {
    ...USER_TYPE.schema,
    attributes: [
      ...USER_TYPE.schema.attributes,
      attribute('tags', { multiValued: true }),
      attribute('badges', {
        type: 'complex',
        multiValued: true,
        subAttributes: [
          attribute('value', { caseExact: true }),
          attribute('label', {}),
          attribute('since', { type: 'dateTime' }),
          attribute('level', { type: 'integer' }),
          attribute('weight', { type: 'decimal' }),
          attribute('primary', { type: 'boolean' }),
          attribute('constructor', {}),
        ],
      }),
    ],
  },
};

function elementFilter(name: string, text: string): FilterNode {
  const path = resolveAttributePath(TYPE, name);
  if (path === undefined) throw new Error(`${name} is unknown`);
  return parseElementFilter(text, path, reading());
}

const BADGE = {
  value: 'AbC',
  label: 'Gold Star',
  since: '2020-01-01T00:00:00+01:00',
  level: 7,
  weight: 2.5,
};

t.test('§3.4.2.2 table 3 on one element', async (t) => {
  const rows: [filter: string, matches: boolean][] = [
    ['label eq "GOLD star"', true],
    ['label ne "gold star"', false],
    ['label ne "silver"', true],
    ['label co "D S"', true],
    ['label sw "gold"', true],
    ['label sw "star"', false],
    ['label ew "STAR"', true],
    ['label ew "gold"', false],
    ['label gt "gold"', true],
    ['label ge "gold star"', true],
    ['label lt "gold star"', false],
    ['label le "gold star"', true],
    ['value eq "AbC"', true],
    ['value eq "abc"', false],
    ['value co "b"', true],
    ['value co "B"', false],
    ['since eq "2019-12-31T23:00:00Z"', true],
    ['since lt "2020-01-01T00:00:00Z"', true],
    ['since gt "2019-12-31T23:00:00.000000001Z"', false],
    ['level gt 6', true],
    ['level gt 7', false],
    ['level ge 7.0', true],
    ['level lt 8', true],
    ['level le 6.9', false],
    ['weight eq 2.5', true],
    ['weight eq 25e-1', true],
    ['weight lt 2.5', false],
    ['label pr', true],
    ['label eq null', false],
    ['label ne null', true],
  ];
  for (const [filter, matches] of rows)
    t.equal(matchesElement(BADGE, elementFilter('badges', filter)), matches, filter);
});

t.test('§3.4.2.2 what is absent or empty', async (t) => {
  for (const empty of [{}, { label: null }, { label: '' }, { label: [] }, { label: {} }] as JsonValue[]) {
    const name = JSON.stringify(empty);
    t.equal(matchesElement(empty, elementFilter('badges', 'label pr')), false, name);
    t.equal(matchesElement(empty, elementFilter('badges', 'label eq null')), true, name);
    t.equal(matchesElement(empty, elementFilter('badges', 'label ne null')), false, name);
    t.equal(matchesElement(empty, elementFilter('badges', 'label ne "x"')), true, name);
    for (const operator of ['eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']) {
      t.equal(
        matchesElement(empty, elementFilter('badges', `label ${operator} "x"`)),
        false,
        `${name} ${operator}`,
      );
    }
  }
  t.equal(matchesElement({}, elementFilter('badges', 'level ge 0')), false);
  t.equal(matchesElement({}, elementFilter('badges', 'constructor pr')), false, 'nothing inherited');
  for (const other of ['text', null, 5, ['label']]) {
    t.equal(matchesElement(other, elementFilter('badges', 'label pr')), false, 'an element of another form');
  }
});

t.test('§2.4 an absent primary is false', async (t) => {
  const rows: [element: JsonValue, filter: string, matches: boolean][] = [
    [{}, 'primary eq false', true],
    [{}, 'primary eq "False"', true],
    [{}, 'primary eq true', false],
    [{}, 'primary ne true', true],
    [{}, 'primary pr', true],
    [{ primary: true }, 'primary eq "True"', true],
    [{ primary: true }, 'primary ne true', false],
    [{ primary: false }, 'primary eq true', false],
  ];
  for (const [element, filter, matches] of rows) {
    t.equal(
      matchesElement(element, elementFilter('badges', filter)),
      matches,
      `${JSON.stringify(element)} ${filter}`,
    );
  }
});

t.test('and, or, not hold on the same element', async (t) => {
  const work = { type: 'work', value: 'a@x.example' };
  const home = { type: 'home', value: 'b@x.example', primary: true };
  const rows: [filter: string, ofWork: boolean, ofHome: boolean][] = [
    ['type eq "work" and value eq "b@x.example"', false, false],
    ['type eq "work" or value eq "b@x.example"', true, true],
    ['not (type eq "work")', false, true],
    ['type eq "home" and not (primary eq false)', false, true],
    ['type eq "work" and value sw "z" or primary eq true', false, true],
  ];
  for (const [filter, ofWork, ofHome] of rows) {
    const node = elementFilter('emails', filter);
    t.strictSame([matchesElement(work, node), matchesElement(home, node)], [ofWork, ofHome], filter);
  }
});

t.test('elements without sub-attributes are called value', async (t) => {
  t.equal(matchesElement('VIP', elementFilter('tags', 'value eq "vip"')), true);
  t.equal(matchesElement('VIP', elementFilter('tags', 'value sw "x"')), false);
  t.equal(matchesElement('', elementFilter('tags', 'value pr')), false);
});

t.test('text is ordered by code points, as the database orders it', async (t) => {
  // In UTF-16 units U+1F600 (d83d de00) comes before U+FF5E.
  t.equal(matchesElement({ value: '\u{1f600}' }, elementFilter('badges', 'value gt "\uff5e"')), true);
});

t.test('a whole value path is no filter on an element', async (t) => {
  const filter = parseFilter('emails[type eq "work"]', USER_TYPE, reading());
  t.equal(matchesElement({ type: 'work' }, filter), false);
});

t.test('a value path that matches nothing seeds the element that is created', async (t) => {
  const rows: [attribute: string, filter: string, seed: JsonValue][] = [
    ['emails', 'type eq "Work"', { type: 'Work' }],
    ['emails', 'type eq "work" and primary eq true', { type: 'work', primary: true }],
    ['roles', 'primary eq "True"', { primary: true }],
    ['roles', 'primary eq false', { primary: false }],
    ['badges', '(level eq 3 and (label eq "A" and weight eq 1.5))', { level: 3, label: 'A', weight: 1.5 }],
    ['badges', 'since eq "2020-01-01T00:00:00+01:00"', { since: '2020-01-01T00:00:00+01:00' }],
    ['emails', 'type eq "work" or type eq "home"', {}],
    ['emails', 'not (type eq "work")', {}],
    ['emails', 'type eq "work" and not (value pr) and (value eq "a" or value eq "b")', { type: 'work' }],
    ['emails', 'type ne "work" and value co "x" and display eq null', {}],
    ['tags', 'value eq "x"', {}],
  ];
  for (const [name, filter, seed] of rows) {
    t.strictSame(seedFromFilter(elementFilter(name, filter)), seed, filter);
  }
});
