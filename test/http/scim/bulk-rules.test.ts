import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { startApp } from '../../support/app.ts';
import { bulkOf, createUser, idAt, type Operation, statuses } from '../../support/bulk.ts';
import { clientOf, ENTERPRISE, GROUP, PATCH_OP } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';

/** Whatever holds for a single request holds for an operation of a /Bulk, and what only a /Bulk can run into. */

const lines: string[] = [];
const app = await startApp(t, { onLog: (line) => lines.push(line) });

async function newClient(settings = {}) {
  const tenant = await app.createTenant(settings);
  const client = clientOf(app, await app.scimKey(tenant));
  return { ...client, tenant, bulk: bulkOf(client) };
}

const retitle = (id: string, title: string, more: object = {}): Operation => ({
  method: 'PATCH',
  path: `/Users/${id}`,
  data: { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'title', value: title }] },
  ...more,
});

/** Users of these names break the statement that writes them: by a fault, and like a server that shuts down. */
await app.context.db.pool.query(`
  create function break_statement() returns trigger language plpgsql as $$
  begin
    raise exception 'nobody foresaw this' using errcode = case new.user_name_folded when 'away' then '57P01' else 'P0001' end;
  end $$;
  create trigger break_statement before insert on scim_user for each row
    when (new.user_name_folded in ('unforeseen', 'away')) execute function break_statement();
`);

t.test('strict mode judges each operation, and tolerances are noted for the request', async (t) => {
  const unknown = createUser('a', 'ann', { favouriteColour: 'green' });
  const strict = await newClient({ strictScim: true });
  const refused = await strict.bulk([unknown, createUser('b', 'bob')]);
  t.same(statuses(refused), ['400', '201']);
  t.match(refused.body.Operations[0]?.response?.detail, /"unknownAttribute"/);

  const lenient = await newClient();
  const { bulkId: _, ...nameless } = unknown;
  t.same(statuses(await lenient.bulk([nameless])), ['201']);
  const logged = lines.map((line) => JSON.parse(line)).find(({ tolerances }) => tolerances);
  t.match(logged, { route: '/api/scim/v2/Bulk', tolerances: ['bulkIdMissing', 'unknownAttribute'] });
});

t.test('a tenant that is provisioned by sign-in only refuses the whole request', async (t) => {
  const { bulk } = await newClient({ provisioning: 'jit' });
  t.match(await bulk([createUser('a', 'ann')]), { status: 403, body: { detail: /sign-in only/ } });
});

meets(t, [231, 236], 'writes of one resource keep their order, and version is that of each', async (t) => {
  const { user, ask, bulk } = await newClient();
  const { id } = await user('ann');
  const answer = await bulk([
    retitle(id, 'A', { version: 'W/"1"' }),
    retitle(id, 'B', { version: 'W/"1"' }),
    retitle(id, 'C', { version: 'W/"2"' }),
    retitle(id, 'C'),
    retitle(id, 'D', { version: '*' }),
    { method: 'DELETE', path: `/Users/${id}`, version: 'none of ours' },
  ]);
  t.match(answer.body.Operations, [
    { status: '200', version: 'W/"2"' },
    { status: '412', version: undefined },
    { status: '200', version: 'W/"3"' },
    { status: '200', version: 'W/"3"' },
    { status: '200', version: 'W/"4"' },
    { status: '412' },
  ]);
  t.match((await ask('GET', `/Users/${id}`)).body, { title: 'D', meta: { version: 'W/"4"' } });
});

t.test(
  'the admin finds the first refusal of a job, and how many there were, among the refused requests',
  async (t) => {
    const { tenant, bulk } = await newClient();
    await bulk([createUser('a', 'ann'), createUser('b', 'ANN'), createUser('c', '')]);
    await app.flushClients();
    const { body } = await app.admin('GET', `/tenants/${tenant.id}/refused-requests`);
    t.match(body, {
      refusedRequests: [
        {
          path: '/api/scim/v2/Bulk',
          status: 409,
          scimType: 'uniqueness',
          detail: /^Operations\[1\]: A user.* \(and 1 more refused\)$/,
        },
      ],
    });
  },
);

t.test('each operation tells its events under the id of the request', async (t) => {
  const { tenant, ask } = await newClient();
  const body = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations: [
      createUser('a', 'ann'),
      createUser('b', 'bob'),
      {
        method: 'POST',
        path: '/Groups',
        bulkId: 'g',
        data: { schemas: [GROUP], displayName: 'G', members: [{ value: 'bulkId:a' }, { value: 'bulkId:b' }] },
      },
      { method: 'DELETE', path: '/Users/bulkId:a' },
      { method: 'DELETE', path: '/Users/bulkId:b' },
    ],
  };
  t.equal((await ask('POST', '/Bulk', body, { 'x-request-id': 'bulk-1' })).status, 200);
  await app.sealEvents();
  const { body: feed } = await app.admin<{ events: Record<string, unknown>[] }>(
    'GET',
    `/tenants/${tenant.id}/events`,
  );
  const told = feed.events.filter(({ requestId }) => requestId === 'bulk-1');
  t.same(told.map(({ type }) => type).sort(), [
    'group.created',
    'group.members_added',
    'group.members_removed',
    'group.members_removed',
    'user.created',
    'user.created',
    'user.deleted',
    'user.deleted',
  ]);
  t.equal(new Set(told.map(({ changeId }) => changeId)).size, 5, 'each operation is a change of its own');
});

/** How often the process turns to others until the work is done. */
async function turnsDuring<Result>(work: () => Promise<Result>) {
  let turns = 0;
  let done = false;
  const others = (async () => {
    for (; !done; turns += 1) await setImmediate();
  })();
  const result = await work();
  done = true;
  await others;
  return { turns, result };
}

t.test(
  'others are served between operations that are refused, which never wait for the database',
  async (t) => {
    const { bulk } = await newClient();
    // The last one is refused for its name, and each other for the one behind it.
    const chain = Array.from({ length: 300 }, (_, index) => {
      const next = { [ENTERPRISE]: { manager: { value: `bulkId:${index + 1}` } } };
      return createUser(String(index), index < 299 ? `user ${index}` : '', index < 299 ? next : {});
    });
    const { turns, result } = await turnsDuring(() => bulk(chain));
    t.same(statuses(result), [...Array.from({ length: 299 }, () => '409'), '400']);
    t.ok(
      turns > 4 * 299,
      'when their form is read, their references, their order, and when they are carried out',
    );
  },
);

meets(t, [236, 240], '1,000 operations, while others are served', async (t) => {
  const { ask, bulk, tenant } = await newClient();
  const members = Array.from({ length: 999 }, (_, index) => ({ value: `bulkId:${index}` }));
  const group = {
    method: 'POST',
    path: '/Groups',
    bulkId: 'g',
    data: { schemas: [GROUP], displayName: 'Everybody', members },
  };
  const operations = [group, ...members.map((_, index) => createUser(String(index), `user ${index}`))];
  const { turns, result: answer } = await turnsDuring(() => bulk(operations));
  t.same(new Set(statuses(answer)), new Set(['201']));
  t.ok(turns > 999, 'the process had a turn for others between any two operations');
  const { body } = await ask('GET', `/Groups/${idAt(answer.body.Operations[0])}`);
  t.equal(body.members?.length, 999);
  const { rows } = await app.context.db.pool.query(
    'select count(*)::int as n from scim_user where tenant_id = $1',
    [tenant.id],
  );
  t.equal(rows[0].n, 999);
});

/** Users of whom each refers to the next as the manager, the last to the first. */
const circleOf = (size: number, more: object = {}) =>
  Array.from({ length: size }, (_, index) => {
    const manager = { value: `bulkId:${(index + 1) % size}` };
    return createUser(String(index), `user ${index}`, { [ENTERPRISE]: { manager }, ...more });
  });

meets(t, [239], 'a circle has 100 operations and 512 KiB at most, or all of it is refused', async (t) => {
  const { ask, bulk } = await newClient();
  const tooMany = await bulk([...circleOf(101), createUser('free', 'free of it')]);
  t.same(statuses(tooMany), [...Array.from({ length: 101 }, () => '413'), '201']);
  t.match(tooMany.body.Operations[0]?.response?.detail, /circle .* 101 operations .*; 100 operations/);
  const tooLarge = await bulk(circleOf(3, { emails: emails(200, 1000) }));
  t.same(statuses(tooLarge), ['413', '413', '413']);
  t.match(tooLarge.body.Operations[0]?.response?.detail, /524288 bytes/);
  t.match((await ask('GET', '/Users')).body, { totalResults: 1 });

  t.same(new Set(statuses(await bulk(circleOf(100)))), new Set(['201']));
});

/** Addresses of so many characters. */
const emails = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => ({ value: `${index}@x.test`.padStart(length, 'a') }));

t.test('operations with much data go to the database in small batches', async (t) => {
  const { bulk, tenant } = await newClient();
  const transactions = async (operations: readonly Operation[]) => {
    t.same(new Set(statuses(await bulk(operations))), new Set(['201']));
    const { rows } = await app.context.db.pool.query(
      'select count(distinct xmin::text)::int as n from scim_user where tenant_id = $1',
      [tenant.id],
    );
    return rows[0].n;
  };
  const twelve = Array.from({ length: 12 }, (_, index) => index);
  t.equal(await transactions(twelve.map((each) => createUser(String(each), `small ${each}`))), 1);
  // 100 kB each: two of them are below 256 KiB, and three above.
  const large = twelve.map((each) =>
    createUser(String(each), `large ${each}`, { emails: emails(100, 1000) }),
  );
  t.equal(await transactions(large), 1 + 6);
});

t.test('an operation that fails in a way nobody foresaw is a 500 of its own, logged', async (t) => {
  const { bulk } = await newClient();
  const before = lines.length;
  const answer = await bulk([createUser('a', 'ann'), createUser('b', 'unforeseen'), createUser('c', 'cal')]);
  t.same(statuses(answer), ['201', '500', '201']);
  t.notMatch(answer.text, /nobody foresaw/);
  const logged = lines.slice(before).filter((line) => line.includes('nobody foresaw this'));
  t.equal(logged.length, 1);
});

t.test('once the database is away nothing more is tried, and what was done is told', async (t) => {
  const { bulk, list, user } = await newClient();
  const { id } = await user('before');
  const answer = await bulk([
    createUser('a', 'ann'),
    retitle(id, 'T'),
    createUser('b', 'away'),
    retitle(id, 'U'),
    { method: 'GET', path: '/Users' },
    createUser('c', 'cal'),
  ]);
  t.same(statuses(answer), ['201', '200', '503', '503', '400', '503']);
  t.match(answer.body.Operations[3]?.response, { status: '503', detail: /Repeat the request/ });
  t.match((await list('/Users', 'userName eq "cal"')).body, { totalResults: 0 });
});

t.test('where nothing could be done the whole request is 503', async (t) => {
  const { bulk } = await newClient();
  const answer = await bulk([
    { method: 'GET', path: '/Users' },
    createUser('a', 'away'),
    createUser('b', 'bob'),
  ]);
  t.match(answer, { status: 503, headers: { 'retry-after': '2' }, body: { status: '503' } });
});
