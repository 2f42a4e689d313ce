import t from 'tap';
import { ScimError } from '../../src/scim/error.ts';
import { readListQuery, type TypeQuery } from '../../src/scim/query.ts';
import { BASE_TYPES, ENTERPRISE_USER as ENTERPRISE, USER_TYPE } from '../../src/scim/resource-types.ts';
import { meets } from '../support/conformance.ts';
import { reading, refusal } from '../support/scim.ts';

/** A query of one type. */
function query(parameters: Record<string, unknown>) {
  const { types, ...asked } = readListQuery(parameters, [USER_TYPE], reading());
  return { ...asked, ...(types[0] as TypeQuery) };
}

t.test('§3.4.2 the parameters of a query', async (t) => {
  const { projection, ...rest } = query({});
  t.equal(projection.mode, 'default');
  t.strictSame(rest, {
    type: USER_TYPE,
    sortOrder: 'ascending',
    count: 100,
    page: { startIndex: 1 },
    written: { filter: undefined, sortBy: undefined },
  });
  const numbers: [parameters: Record<string, unknown>, startIndex: number, count: number][] = [
    [{ startIndex: '5', count: '10' }, 5, 10],
    [{ startindex: '0', COUNT: '0' }, 1, 0],
    [{ startIndex: '-3', count: '-1' }, 1, 0],
    [{ startIndex: '99999999999999999999', count: '5000' }, Number.MAX_SAFE_INTEGER, 1000],
    [{ startIndex: 5, count: 10 }, 5, 10],
    [{ startIndex: null, count: undefined }, 1, 100],
    [{ aadOptscim062020: '', unknown: ['a', 'b'] }, 1, 100],
  ];
  for (const [parameters, startIndex, count] of numbers) {
    t.match(query(parameters), { page: { startIndex }, count }, JSON.stringify(parameters));
  }
  t.match(query({ filter: 'userName eq "x"' }).filter, { kind: 'compare', operator: 'eq' });
  t.equal(
    query({ sortBy: 'NAME.familyname', sortOrder: 'Descending' }).sortBy?.subAttribute?.name,
    'familyName',
  );
  t.equal(
    query({ sortBy: 'emails' }).sortBy?.subAttribute?.name,
    'value',
    'a complex attribute is sorted by its value',
  );
  t.equal(query({ sortOrder: 'Descending' }).sortOrder, 'descending');
  t.equal(query({ sortBy: `${ENTERPRISE}:department` }).sortBy?.extension?.id, ENTERPRISE);
  t.strictSame(
    [...query({ attributes: ['userName', 'emails'] }).projection.names.all],
    ['userName', 'emails'],
    '/.search has arrays',
  );
});

t.test('a parameter that does not hold is refused by name', async (t) => {
  const cases: [parameters: Record<string, unknown>, expected: RegExp][] = [
    [{ startIndex: '1.5' }, /^invalidValue: startIndex must be an integer/],
    [{ cursor: ['', 'x'] }, /^invalidSyntax: .*"cursor" is given twice/],
    [{ cursor: 5 }, /^invalidSyntax: cursor must be a string/],
    [{ attributes: Array(1_001).fill('id') }, /^invalidValue: .*more than 1000 names/],
    [{ excludedAttributes: ['x,'.repeat(1_000)] }, /^invalidValue: .*more than 1000 names/],
    [{ cursor: '', startIndex: '1' }, /^invalidValue: startIndex and cursor exclude each other/],
    [{ cursor: '', count: '1001' }, /^invalidCount: count must be between 0 and 1000/],
    [{ count: 'ten' }, /^invalidValue: count must be an integer/],
    [{ count: '' }, /^invalidValue: count/],
    [{ count: 1.5 }, /^invalidValue: count/],
    [{ count: true }, /^invalidValue: count/],
    [{ count: ['1', '2'] }, /^invalidSyntax: .*"count" is given twice/],
    [{ count: '1', Count: '2' }, /^invalidSyntax: .*"Count" is given twice/],
    [{ filter: ['a pr', 'b pr'] }, /^invalidSyntax: .*"filter" is given twice/],
    [{ filter: { a: 1 } }, /^invalidSyntax: filter must be a string/],
    [{ filter: '' }, /^invalidFilter/],
    [{ filter: 'userName eq' }, /^invalidFilter/],
    [{ sortBy: 'shoeSize' }, /^invalidValue: sortBy/],
    [{ sortBy: 'password' }, /^invalidValue: sortBy/],
    [{ sortBy: '' }, /^invalidValue: sortBy/],
    [{ sortBy: 'name' }, /^invalidValue: sortBy: "name" is complex/],
    [{ sortOrder: 'up' }, /^invalidValue: sortOrder/],
    [{ attributes: ['id', 1] }, /^invalidSyntax: attributes/],
    [{ attributes: 'id', excludedAttributes: 'emails' }, /^invalidValue: attributes and excludedAttributes/],
  ];
  for (const [parameters, expected] of cases) {
    t.match(
      refusal(() => query(parameters)),
      expected,
      JSON.stringify(parameters),
    );
  }
});

t.test('RFC 9865 §2.4 a cursor, even an empty one, asks for pages by cursor', async (t) => {
  t.strictSame(query({}).page, { startIndex: 1 }, 'an index is the default');
  t.strictSame(query({ cursor: '' }).page, { cursor: '' });
  t.strictSame(query({ CURSOR: 'abc', count: '-5' }).count, 0);
  t.strictSame(query({ cursor: null }).page, { startIndex: 1 }, 'null in a body is no value');
});

const TYPES = Object.values(BASE_TYPES);
const atRoot = (parameters: Record<string, unknown>) =>
  readListQuery(parameters, TYPES, reading()).types.map(({ filter }) => filter);

meets(t, [125, 126], '§3.4.2.1 what a type does not define has no value there', async (t) => {
  const hold = (filter: string) =>
    atRoot({ filter }).map((node) => (node?.kind === 'constant' ? node.value : node?.kind));
  t.strictSame(hold('userName pr'), ['present', false, false, false]);
  t.strictSame(hold('userName eq "x"'), ['compare', false, false, false]);
  t.strictSame(hold('userName ne "x"'), ['compare', true, true, true]);
  t.strictSame(hold('userName eq null'), ['compare', true, true, true]);
  t.strictSame(hold('userName ne null'), ['compare', false, false, false]);
  t.strictSame(hold('emails[type eq "work"]'), ['element', false, false, false]);
  t.strictSame(hold('members.value eq "x"'), [false, 'compare', false, false]);
  t.strictSame(hold('displayName sw "x"'), ['compare', 'compare', 'compare', 'compare']);
  t.match(
    refusal(() => atRoot({ filter: 'shoeSize pr' })),
    /^invalidFilter: "shoeSize" is not an attribute of any resource type/,
  );
  t.match(
    refusal(() => atRoot({ filter: 'active gt true' })),
    /^invalidFilter/,
  );
});

t.test('§3.4.2.1 sortBy holds for each type that has it', async (t) => {
  const sorts = (sortBy: string) =>
    readListQuery({ sortBy }, TYPES, reading()).types.map((type) => type.sortBy?.attribute.name);
  t.strictSame(sorts('userName'), ['userName', undefined, undefined, undefined]);
  t.strictSame(sorts('id'), ['id', 'id', 'id', 'id']);
  t.match(
    refusal(() => sorts('shoeSize')),
    /^invalidValue: sortBy: "shoeSize" is no attribute of any resource type/,
  );
});

meets(t, [150, 288], '§7.5.2 what is never told is refused in a URL as sensitive', async (t) => {
  for (const inUrl of [true, false]) {
    const asking = (parameters: Record<string, unknown>) => () =>
      readListQuery(parameters, [USER_TYPE], { ...reading(), inUrl });
    const filtering = asking({ filter: 'userName pr and PASSWORD eq "x"' });
    const sorting = asking({ sortBy: 'password' });
    if (inUrl) {
      t.throws(
        filtering,
        new ScimError(403, 'sensitive', '"PASSWORD" cannot be used in a filter: it is never told'),
      );
      t.throws(
        sorting,
        new ScimError(403, 'sensitive', '"password" is never told, so nothing is sorted by it'),
      );
    } else {
      t.match(refusal(filtering), /^invalidFilter/);
      t.match(refusal(sorting), /^invalidValue/);
    }
  }
});
