import fc from 'fast-check';
import t from 'tap';
import { type BulkOperation, type BulkReading, readBulkRequest } from '../../src/scim/bulk.ts';
import { inOrder } from '../../src/scim/bulk-order.ts';
import { BULK_REQUEST } from '../../src/scim/messages.ts';
import type { JsonObject } from '../../src/scim/types.ts';
import { meets } from '../support/conformance.ts';
import { runs } from '../support/runs.ts';
import { reading, refusal } from '../support/scim.ts';

/** The message of a /Bulk and the order of its operations, without a service (RFC 7644 section 3.7). */

const pause = async () => {};

/** Reads a body whose new resources get the ids 1, 2, … in the order of the POSTs. */
function readBody(body: unknown, more: Partial<BulkReading> = {}) {
  let minted = 0;
  return readBulkRequest(body, { reading: reading(), mint: () => idOf(++minted), pause, ...more });
}

const read = (operations: readonly unknown[], more: Partial<BulkReading> = {}) =>
  readBody({ schemas: [BULK_REQUEST], Operations: operations }, more);

/** What is wrong with a message as a whole. */
async function faultOfMessage(body: unknown): Promise<string | undefined> {
  const failed = await readBody(body).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  return refusal(() => {
    if (failed) throw failed.error;
  });
}

const idOf = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;

/** A POST of a user who refers to others of the request. */
const post = (bulkId: string, ...refersTo: string[]) => ({
  method: 'POST',
  path: '/Users',
  bulkId,
  data: { userName: bulkId, references: refersTo.map((name) => `bulkId:${name}`) },
});
const patch = (path: string, ...named: string[]) => ({ method: 'PATCH', path, data: { named } });
const remove = (path: string) => ({ method: 'DELETE', path });

/** What is wrong with the first operation. */
async function faultOf(operation: unknown, strict = false): Promise<string | undefined> {
  const [first] = (await read([operation], { reading: reading(strict) })).operations;
  return first && 'refusal' in first ? `${first.refusal.scimType}: ${first.refusal.message}` : undefined;
}

/** The first operation, which is in order. */
async function only(operation: object, ...others: object[]): Promise<BulkOperation> {
  const [first] = (await read([operation, ...others])).operations;
  if (!first || 'refusal' in first) throw first?.refusal ?? new Error('no operation');
  return first;
}

meets(t, [228, 229, 243, 244], 'a message that is wrong as a whole is refused as a whole', async (t) => {
  const message = async (body: unknown) => (await faultOfMessage(body))?.split(':')[0];
  const ok = { schemas: [BULK_REQUEST], Operations: [remove('/Users/1')] };
  t.equal(await message(ok), undefined);
  t.equal(await message({ ...ok, failOnErrors: 1 }), undefined);
  t.equal(await message({ ...ok, failOnErrors: null }), undefined, 'null is no value (RFC 7643 section 2.5)');
  t.equal(
    await message({ SCHEMAS: [BULK_REQUEST], operations: ok.Operations }),
    undefined,
    'names in any case',
  );
  for (const failOnErrors of [0, -1, 1.5, '1', true, [1], 1e300]) {
    t.equal(
      await message({ ...ok, failOnErrors }),
      'invalidSyntax',
      `failOnErrors: ${JSON.stringify(failOnErrors)}`,
    );
  }
  for (const Operations of [undefined, null, [], {}, 'POST', 1]) {
    t.equal(
      await message({ ...ok, Operations }),
      'invalidSyntax',
      `Operations: ${JSON.stringify(Operations)}`,
    );
  }
  for (const body of [null, 'x', [], { ...ok, schemas: ['urn:other'] }, { ...ok, schemas: BULK_REQUEST }]) {
    t.equal(await message(body), 'invalidSyntax', JSON.stringify(body));
  }
  const thousand = Array.from({ length: 1000 }, () => remove('/Users/1'));
  t.equal((await read(thousand)).operations.length, 1000);
  await t.rejects(read([...thousand, remove('/Users/1')]), {
    status: 413,
    message: /maxOperations \(1000\)/,
  });
});

meets(t, [230, 237], 'two POSTs with one bulkId are a fault of the whole message', async (t) => {
  const twice = { schemas: [BULK_REQUEST], Operations: [post('a'), post('b'), post('a')] };
  t.match(await faultOfMessage(twice), /^invalidSyntax: .*"a"/);
  const { operations } = await read([post('a'), { ...remove('/Users/1'), bulkId: 'a' }]);
  t.equal(operations.length, 2, 'only a POST names');
});

meets(t, [230, 231, 244], 'what is wrong with one operation is the refusal of that one', async (t) => {
  const data = {};
  const faults: [operation: unknown, fault: RegExp | undefined][] = [
    [{ method: 'POST', path: '/Users', bulkId: 'a', data }, undefined],
    [{ METHOD: 'post', Path: 'groups', BulkID: 'a', DATA: data }, undefined],
    [{ method: 'PUT', path: '/Users/1', data, version: 'W/"1"' }, undefined],
    [{ method: 'DELETE', path: '/Groups/1' }, undefined],
    [null, /^invalidSyntax: .*object/],
    ['POST', /^invalidSyntax: .*object/],
    [{ method: 'PUT', Method: 'PUT' }, /^invalidSyntax: .*twice/],
    [{ path: '/Users', bulkId: 'a', data }, /^invalidSyntax: method/],
    [{ method: 'GET', path: '/Users/1' }, /^invalidSyntax: method/],
    [{ method: ['PUT'], path: '/Users/1', data }, /^invalidSyntax: method/],
    [{ method: 'POST', bulkId: 'a', data }, /^invalidValue: path/],
    [{ method: 'POST', path: '/Users/1', bulkId: 'a', data }, /^invalidValue: path .*\/Users or/],
    [{ method: 'PUT', path: '/Users', data }, /^invalidValue: path .*\{id\}/],
    [{ method: 'DELETE', path: '/Users/' }, /^invalidValue: path/],
    [{ method: 'PUT', path: '/Schemas/1', data }, /^invalidValue: path/],
    [{ method: 'PUT', path: 'https://other.test/Users/1', data }, /^invalidValue: path/],
    [{ method: 'PUT', path: 7, data }, /^invalidValue: path/],
    [{ method: 'POST', path: '/Users', bulkId: '', data }, /^invalidSyntax: bulkId/],
    [{ method: 'POST', path: '/Users', bulkId: 7, data }, /^invalidSyntax: bulkId/],
    [{ method: 'POST', path: '/Users', bulkId: 'a' }, /^invalidSyntax: data/],
    [{ method: 'PUT', path: '/Users/1', data: null }, /^invalidSyntax: data/],
    [{ method: 'PUT', path: '/Users/1', data, version: 1 }, /^invalidSyntax: version/],
    [patch('/Users/bulkId:x'), /^invalidValue: "bulkId:x"/],
    [patch('/Users/1', 'bulkId:x'), /^invalidValue: "bulkId:x"/],
  ];
  for (const [operation, fault] of faults) {
    const found = await faultOf(operation);
    if (fault) t.match(found, fault, JSON.stringify(operation));
    else t.equal(found, undefined, JSON.stringify(operation));
  }
});

meets(t, [230], 'a POST without bulkId is tolerated, and refused in strict mode', async (t) => {
  const { bulkId: _, ...nameless } = post('a');
  const noted = reading();
  t.match((await read([nameless], { reading: noted })).operations, [{ resource: { id: idOf(1) } }]);
  t.same([...noted.tolerances], ['bulkIdMissing']);
  t.match(await faultOf(nameless, true), /^invalidSyntax: Strict mode .*"bulkIdMissing"/);
});

meets(
  t,
  [240, 241],
  'a bulkId is replaced wherever it stands for a resource, and nowhere else',
  async (t) => {
    const others = [post('b'), post('c d/"e')];
    const urn = 'urn:example:Own';
    const forms: [data: JsonObject, resolved: JsonObject][] = [
      [{ members: [{ value: 'bulkId:b' }] }, { members: [{ value: idOf(1) }] }],
      [{ [urn]: { manager: { value: 'bulkId:b' } } }, { [urn]: { manager: { value: idOf(1) } } }],
      [{ [urn]: { anything: ['bulkId:c d/"e'] } }, { [urn]: { anything: [idOf(2)] } }],
      [
        { $ref: 'https://host/scim/v2/Users/bulkId:b', other: '../Users/bulkId:b' },
        { $ref: `https://host/scim/v2/Users/${idOf(1)}`, other: `../Users/${idOf(1)}` },
      ],
      [
        { Operations: [{ path: 'members[value eq "bulkId:b"]' }] },
        { Operations: [{ path: `members[value eq "${idOf(1)}"]` }] },
      ],
      [
        { title: 'about bulkId:b', BULKID: 'b', 'bulkId:b': 1, n: null },
        { title: 'about bulkId:b', BULKID: 'b', 'bulkId:b': 1, n: null },
      ],
    ];
    for (const [data, resolved] of forms) {
      const { content } = await only({ method: 'PATCH', path: '/Groups/1', data }, ...others);
      t.same(content, resolved, JSON.stringify(data));
    }
    const { resource, needs } = await only({ method: 'DELETE', path: '/Users/bulkId:b' }, ...others);
    t.equal(resource.id, idOf(1));
    t.same([...needs], [[idOf(1), 'b']]);
    const put = { method: 'PUT', path: '/Users/1', data: { path: '"bulkId:b"' } };
    t.same((await only(put, ...others)).content, put.data, 'only a PATCH has paths');
  },
);

/** A POST of a group that refers to others of the request. */
const group = (bulkId: string, ...refersTo: string[]) => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { displayName: bulkId, members: refersTo.map((name) => ({ value: `bulkId:${name}` })) },
});

meets(t, [239], 'a group that refers to a new group is refused before anything is ordered', async (t) => {
  const add = { op: 'add', path: 'members', value: [{ value: 'bulkId:g' }] };
  const { operations } = await read([
    group('g', 'u'),
    group('h', 'u', 'g'),
    group('own', 'own'),
    { method: 'PUT', path: '/Groups/1', data: group('x', 'g').data },
    { method: 'PATCH', path: '/Groups/1', data: { Operations: [add] } },
    { method: 'PATCH', path: '/Groups/bulkId:g', data: { Operations: [] } },
    { method: 'DELETE', path: '/Groups/bulkId:g' },
    post('u', 'g'),
  ]);
  const nested = { refusal: { status: 400, scimType: 'invalidValue', message: /nested groups/ } };
  for (const index of [1, 2, 3, 4]) t.match(operations[index], nested, `operation ${index}`);
  for (const index of [0, 5, 6, 7]) t.notOk('refusal' in (operations[index] ?? {}), `operation ${index}`);
});

t.test('a request refers to its own resources 20,000 times at most', async (t) => {
  const many = (times: number) => Array.from({ length: times }, () => 'u');
  const enough = await read([post('a', ...many(19_999)), post('b', 'u'), post('u')]);
  t.notOk(enough.operations.some((each) => 'refusal' in each));

  const { operations } = await read([post('a', ...many(20_000)), post('b', 'u'), post('u'), post('c', 'u')]);
  const refused = { refusal: { status: 413, message: /bulkId more than 20000 times/ } };
  t.match([operations[1], operations[3]], [refused, refused]);
  t.notOk(
    [operations[0], operations[2]].some((each) => each && 'refusal' in each),
    'the others hold',
  );
});

t.test('there is a pause between any two operations that are read, and that are ordered', async (t) => {
  let pauses = 0;
  const counted = async () => {
    pauses += 1;
  };
  const { operations } = await read([post('a'), post('b', 'c'), post('c', 'b')], { pause: counted });
  t.equal(pauses, 6, 'for its form, and for its references');
  await inOrder(operations, counted);
  t.equal(pauses, 9);
});

/** The order as the places that the operations had; a circle in brackets. */
const orderOf = async (...operations: object[]) =>
  (await inOrder((await read(operations)).operations, pause))
    .map((unit) => (unit.length > 1 ? `(${unit.map(({ index }) => index).join()})` : unit[0].index))
    .join(' ');

meets(
  t,
  [238, 240],
  'operations keep their order, but for those that refer to what comes later',
  async (t) => {
    const [x, y] = [idOf(901), idOf(902)];
    const cases: [order: string, why: string, ...operations: object[]][] = [
      ['0 1 2', 'nothing refers to anything', patch(`/Users/${x}`), post('a'), remove(`/Users/${x}`)],
      ['0 1', 'what was created before', post('a'), post('b', 'a')],
      ['1 0', 'what is created later', post('b', 'a'), post('a')],
      ['2 1 0', 'a chain', post('c', 'b'), post('b', 'a'), post('a')],
      ['0', 'itself', post('a', 'a')],
      [
        '1 2 0',
        'behind everything else',
        patch(`/Groups/${x}`, 'bulkId:a'),
        post('a'),
        remove(`/Groups/${y}`),
      ],
      [
        '2 0 1',
        'a later write of the same waits too',
        patch(`/Groups/${x}`, 'bulkId:a'),
        patch(`/Groups/${x}`),
        post('a'),
      ],
      [
        '2 0 1',
        'and the deletion of who is named',
        patch(`/Groups/${x}`, 'bulkId:a', y),
        remove(`/Users/${y}`),
        post('a'),
      ],
      [
        '3 0 1 2',
        'and who names what is deleted',
        patch(`/Users/${y}`, 'bulkId:a'),
        remove(`/Users/${y}`),
        patch(`/Groups/${x}`, y),
        post('a'),
      ],
      [
        '1 0 2',
        'and a write of what was just created',
        patch(`/Groups/${x}`, 'bulkId:a'),
        post('a'),
        remove('/Users/bulkId:a'),
      ],
      ['(0,1)', 'a circle', post('a', 'b'), post('b', 'a')],
      [
        '1 (0,2) 3',
        'a circle where its last one stands',
        post('a', 'b'),
        post('c'),
        post('b', 'a'),
        post('d', 'a'),
      ],
      [
        '3 (0,1) 2',
        'a circle that needs another',
        post('a', 'b'),
        post('b', 'a', 'c'),
        patch('/Users/bulkId:a'),
        post('c'),
      ],
      [
        '(1,2) (0,3)',
        'two circles, one of which needs the other',
        post('a', 'd', 'b'),
        post('b', 'c'),
        post('c', 'b'),
        post('d', 'a'),
      ],
      ['0 1', 'a refused operation holds nobody up', { method: 'GET', bulkId: 'a' }, post('b')],
    ];
    for (const [order, why, ...operations] of cases) t.equal(await orderOf(...operations), order, why);
  },
);

t.test('whatever refers to whatever, each operation comes once, and behind what it needs', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const resources = [...names.slice(0, 3).map((name) => `bulkId:${name}`), idOf(901), idOf(902)];
  const named = fc.array(fc.constantFrom(...resources), { maxLength: 2 });
  const change = fc.record({ path: fc.constantFrom(...resources), named, deletes: fc.boolean() });
  const changes = fc.array(change, { maxLength: 8 });
  const created = fc.tuple(...names.map(() => fc.array(fc.constantFrom(...names), { maxLength: 2 })));
  const listed = fc.tuple(created, changes).chain(([posts, rest]) => {
    const operations = [
      ...names.map((name, index) => post(name, ...(posts[index] ?? []))),
      ...rest.map(({ path, named, deletes }) =>
        deletes ? remove(`/Users/${path}`) : patch(`/Users/${path}`, ...named),
      ),
    ];
    return fc.shuffledSubarray(operations, { minLength: operations.length });
  });
  await fc.assert(
    fc.asyncProperty(listed, async (operations) => {
      const request = (await read(operations)).operations as BulkOperation[];
      const units = await inOrder(request, pause);
      const place = new Map(units.flatMap((unit, at) => unit.map((each) => [each.index, at] as const)));
      if (place.size !== request.length || units.flat().length !== request.length) return false;
      const creators = new Map(
        request.filter(({ method }) => method === 'POST').map((each) => [each.resource.id, each.index]),
      );
      const placeOf = (index: number | undefined) => place.get(index ?? -1) ?? -1;
      return request.every(
        (each) =>
          [...each.needs.keys()].every((id) => placeOf(creators.get(id)) <= placeOf(each.index)) &&
          request.every(
            (later) =>
              later.index <= each.index ||
              each.method === 'POST' ||
              later.method === 'POST' ||
              later.resource.id !== each.resource.id ||
              placeOf(each.index) < placeOf(later.index),
          ),
      );
    }),
    { numRuns: runs(500, 20_000) },
  );
});
