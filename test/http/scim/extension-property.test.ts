import fc from 'fast-check';
import t from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf, type List, type Resource, USER } from '../../support/client.ts';
import { type Declared, type Sample, samples, type Value } from '../../support/extension-arbitraries.ts';
import { runs } from '../../support/runs.ts';

/** Whatever a tenant declares: it is stored, found, sorted by, projected, patched and removed like what is built in. */

const app = await startApp(t);
const URN = 'urn:example:params:scim:schemas:extension:any:1.0:User';

/** A value that can be asked for by one path, with what it is an attribute of. */
interface Leaf {
  readonly path: string;
  readonly type: string;
  readonly value: Value;
  readonly single: boolean;
}

/** The leaves of a sample's first value. */
function leavesOf({ declared, value }: Sample): Leaf[] {
  const [first = value] = Array.isArray(value) ? (value as readonly Value[]) : [value];
  const path = `${URN}:${declared.name}`;
  const single = !declared.multiValued;
  if (declared.subAttributes === undefined) return [{ path, type: declared.type, value: first, single }];
  return declared.subAttributes.map(({ name, type }: Declared) => ({
    path: `${path}.${name}`,
    type,
    value: (first as Readonly<Record<string, Value>>)[name] ?? '',
    single,
  }));
}

const TEXT = new Set(['string', 'reference']);
const ORDERED = new Set([...TEXT, 'integer', 'decimal', 'dateTime']);

/** Filters on a leaf, by whether they find the user who has it and the user who has nothing. */
function filtersOn({ path, type, value, single }: Leaf): [filter: string, has: boolean, hasNot: boolean][] {
  const written = JSON.stringify(value);
  const characters = [...String(value)];
  const part = (from: number, to?: number) => JSON.stringify(characters.slice(from, to).join(''));
  return [
    [`${path} pr`, true, false],
    [`not (${path} pr)`, false, true],
    [`${path} eq null`, false, true],
    [`${path} ne null`, true, false],
    [`${path} eq ${written}`, true, false],
    [`${path.toUpperCase()} eq ${written} and userName pr`, true, false],
    ...(single ? [[`${path} ne ${written}`, false, true] as [string, boolean, boolean]] : []),
    ...(ORDERED.has(type) ? orderOf(path, written, single) : []),
    ...(TEXT.has(type)
      ? ([
          [`${path} co ${part(1, 2) === '""' ? part(0, 1) : part(1, 2)}`, true, false],
          [`${path} sw ${part(0, 2)}`, true, false],
          [`${path} ew ${part(-1)}`, true, false],
        ] as [string, boolean, boolean][])
      : []),
  ];
}

function orderOf(path: string, written: string, single: boolean): [string, boolean, boolean][] {
  const either: [string, boolean, boolean][] = [
    [`${path} ge ${written}`, true, false],
    [`${path} le ${written}`, true, false],
  ];
  if (!single) return either;
  return [...either, [`${path} gt ${written}`, false, false], [`${path} lt ${written}`, false, false]];
}

t.test('any definition and any values of it: every operation that built-in attributes have', async (t) => {
  await fc.assert(
    fc.asyncProperty(samples, async (chosen) => {
      const tenant = await app.createTenant();
      const declared = await app.admin('POST', `/tenants/${tenant.id}/schema-extensions`, {
        id: URN,
        name: 'Any',
        attributes: chosen.map((each) => each.declared),
      });
      expect(declared.status, 201, declared.text);
      const client = clientOf(app, await app.scimKey(tenant));
      const extension = Object.fromEntries(chosen.map((each) => [each.declared.name, each.value]));
      const { id } = await client.user('has', { [URN]: extension });
      const path = `/Users/${id}`;
      const { id: bare } = await client.user('has-not');
      const read = async (query = '') => (await client.ask('GET', path + query)).body;
      expect((await read())[URN], extension);

      for (const each of chosen) {
        for (const leaf of leavesOf(each)) await finds(client, leaf);
        const { name } = each.declared;
        const { [name]: own, ...others } = extension;
        expect((await read(`?attributes=${URN}:${name}`))[URN], { [name]: own });
        expect((await read(`?excludedAttributes=${URN}:${name}`))[URN] ?? {}, others);
      }
      await patches(client, path, chosen);
      const put = { schemas: [USER, URN], userName: 'has-not', [URN]: extension };
      expect((await client.ask('PUT', `/Users/${bare}`, put)).body[URN], extension);
    }),
    { numRuns: runs(25, 400) },
  );
  t.pass('nothing was lost');
});

type Client = ReturnType<typeof clientOf>;

async function finds(client: Client, leaf: Leaf): Promise<void> {
  for (const [filter, has, hasNot] of filtersOn(leaf)) {
    const { status, body } = await client.list('/Users', filter);
    expect(status, 200, `${filter}: ${JSON.stringify(body)}`);
    const expected = [...(has ? ['has'] : []), ...(hasNot ? ['has-not'] : [])];
    expect(body.Resources.map(namesOf), expected, filter);
  }
  for (const [order, expected] of [
    ['ascending', ['has', 'has-not']],
    ['descending', ['has-not', 'has']],
  ] as const) {
    const query = `sortBy=${encodeURIComponent(leaf.path)}&sortOrder=${order}`;
    const { body } = await client.ask<List>('GET', `/Users?${query}`);
    expect(body.Resources.map(namesOf), expected, `${leaf.path} ${order}`);
  }
}

/** Every attribute is replaced, each by its path and then all by the extension's; then removed, one by one. */
async function patches(client: Client, path: string, chosen: readonly Sample[]): Promise<void> {
  for (const { declared, other } of chosen) {
    const operation = { op: 'replace', path: `${URN}:${declared.name}`, value: other };
    const { status, body } = await client.patch(path, [operation]);
    expect(status, 200, JSON.stringify(body));
    expect((body[URN] as Readonly<Record<string, Value>>)[declared.name], other);
  }
  const first = Object.fromEntries(chosen.map(({ declared, value }) => [declared.name, value]));
  const whole = await client.patch(path, [{ op: 'replace', path: URN, value: first }]);
  expect(whole.body[URN], first);
  for (const { declared } of chosen) {
    const { body } = await client.patch(path, [{ op: 'remove', path: `${URN}:${declared.name}` }]);
    expect(Object.hasOwn((body[URN] ?? {}) as object, declared.name), false, declared.name);
  }
  const { body } = await client.ask('GET', path);
  expect(body.schemas, [USER]);
}

const namesOf = ({ userName }: Resource) => userName;

/** A property needs an exception. */
function expect(found: unknown, wanted: unknown, message = ''): void {
  const [left, right] = [sorted(found), sorted(wanted)];
  if (left !== right) throw new Error(`${message}\nfound ${left}\nwanted ${right}`);
}

/** JSON with the names of objects in one order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}
