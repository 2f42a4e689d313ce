import fc from 'fast-check';
import t from 'tap';
import type { Principal } from '../../src/context.ts';
import { AppError } from '../../src/errors.ts';
import { openRates, type Rate, type RateRefusal, type TellRefused } from '../../src/tenants/rates.ts';
import { startApp } from '../support/app.ts';
import { bulkOf } from '../support/bulk.ts';
import { clientOf, USER } from '../support/client.ts';
import { crowd, groupId } from '../support/crowd.ts';
import { runs } from '../support/runs.ts';

/** How often keys and tenants may ask. */

const keyOf = (id: string, tenant: string) => ({ kind: 'api_key', id, tenant: { id: tenant } }) as Principal;
const SERVICE = { kind: 'service_key', id: 's' } as Principal;

/** Limits with a clock that is moved by hand. */
function limits(rate: Rate) {
  let milliseconds = 1_000_000;
  const { admit, charge, owe } = openRates(rate, () => new Date(milliseconds));
  return {
    pass(time: number) {
      milliseconds += time;
    },
    charge,
    owe,
    /** 0: let in; else the seconds to wait. */
    ask(principal: Principal): number {
      try {
        admit(principal);
        return 0;
      } catch (error) {
        if (error instanceof AppError && error.code === 'too_many_requests')
          return error.retryAfter ?? Number.NaN;
        throw error;
      }
    },
  };
}

t.test('a key may ask in a burst, and then as often as time passes', async (t) => {
  const { ask, pass } = limits({ perSecond: 2, burst: 3 });
  const key = keyOf('k', 't');
  t.same([ask(key), ask(key), ask(key), ask(key)], [0, 0, 0, 1]);
  pass(499);
  t.equal(ask(key), 1);
  pass(1);
  t.same([ask(key), ask(key)], [0, 1]);
  pass(60_000);
  t.same([ask(key), ask(key), ask(key), ask(key)], [0, 0, 0, 1], 'never more than the burst');
  pass(-60_000);
  t.equal(ask(key), 1, 'a clock that was set back gives nothing');
  pass(500);
  t.equal(ask(key), 0, 'and takes nothing');
});

t.test('how often a key was refused is told in a sum', async (t) => {
  const told: string[] = [];
  const all = new Promise<void>((resolve) => {
    const tell = (principal: Principal & { id: string }, count: number) => {
      told.push(`${principal.id} ${count}`);
      if (told.length === 2) resolve();
    };
    const { admit } = openRates({ perSecond: 1, burst: 1 }, () => new Date(0), tell as TellRefused);
    const repeated = (principal: Principal) => {
      try {
        admit(principal);
        return undefined;
      } catch (error) {
        return (error as RateRefusal).repeated;
      }
    };
    const [key, other] = [keyOf('k', 't'), keyOf('l', 'u')];
    t.same([key, key, key, key, other, other].map(repeated), [
      undefined,
      false,
      true,
      true,
      undefined,
      false,
    ]);
  });
  // The timer holds no process: this one waits for it.
  const alive = setInterval(() => {}, 1_000);
  await all;
  clearInterval(alive);
  t.same(told, ['k 3', 'l 1']);
});

t.test('a key is served a little whatever the others of its tenant ask', async (t) => {
  const { ask, pass } = limits({ perSecond: 500, burst: 2_000 });
  const [flood, entra] = [keyOf('flood', 't'), keyOf('entra', 't')];
  let [served, flooded] = [0, 0];
  for (let tick = 0; tick < 25 * 20; tick += 1) {
    pass(40);
    for (let n = 0; n < 200; n += 1) flooded += ask(flood) === 0 ? 1 : 0;
    served += ask(entra) === 0 ? 1 : 0;
  }
  t.equal(served, 25 * 20, '25 a second');
  t.ok(flooded <= 2_100 + 20 * 525, 'and the flood has no more than its limit and its own part');
});

t.test('the keys of a tenant share its limit; other tenants and operators have none of it', async (t) => {
  const { ask } = limits({ perSecond: 1, burst: 2 });
  t.same([ask(keyOf('a', 't')), ask(keyOf('b', 't')), ask(keyOf('c', 't'))], [0, 0, 1]);
  t.equal(ask(keyOf('d', 'other')), 0);
  t.same([ask(SERVICE), ask(SERVICE), ask(SERVICE)], [0, 0, 1], 'a service key has a limit of its own');
  for (let n = 0; n < 10; n += 1) t.equal(ask({ kind: 'operator' }), 0);
});

t.test(
  'whatever comes when, no second has more than the burst and the rate, and who waits is let in',
  async () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat(400), { maxLength: 200 }),
      (perSecond, burst, gaps) => {
        const { ask, pass } = limits({ perSecond, burst });
        const key = keyOf('k', 't');
        const admitted: number[] = [];
        let time = 0;
        for (const gap of gaps) {
          pass(gap);
          time += gap;
          const wait = ask(key);
          if (wait === 0) admitted.push(time);
          else if (!Number.isInteger(wait) || wait < 1) return false;
        }
        pass(1_000 * Math.ceil(1 / perSecond));
        const isBound = admitted.every(
          (begin, at) =>
            admitted.slice(at).filter((each) => each <= begin + 1_000).length <= burst + perSecond + 1,
        );
        return isBound && ask(key) === 0;
      },
    );
    fc.assert(property, { numRuns: runs(300, 20_000) });
  },
);

t.test('who asks too often is told when to come back, on every surface, and nobody else is', async (t) => {
  let milliseconds = Date.parse('2026-03-04T05:06:07Z');
  const now = () => new Date(milliseconds);
  const lines: string[] = [];
  const app = await startApp(t, {
    now,
    rate: { perSecond: 1, burst: 2 },
    onLog: (line) => void lines.push(line),
  });
  const [tenant, other] = [await app.createTenant(), await app.createTenant()];
  const [scim, admin, neighbour] = [
    await app.scimKey(tenant),
    (await app.apiKey(tenant, ['admin'])).key,
    await app.scimKey(other),
  ];
  const read = (key: string) => app.send('GET', '/api/scim/v2/Users', { key });
  t.same([(await read(scim)).status, (await read(scim)).status], [200, 200]);
  t.match(await read(scim), {
    status: 429,
    headers: { 'retry-after': '1', 'content-type': /scim/ },
    body: { status: '429', detail: /Retry-After/ },
  });
  t.match(await app.send('GET', `/api/admin/v1/tenants/${tenant.id}`, { key: admin }), {
    status: 429,
    headers: { 'retry-after': '1' },
    body: { code: 'too_many_requests', reason: 'rate_limited', title: 'Too Many Requests' },
  });
  const again = read(scim);
  const first = await Promise.race([again.then(() => 'who goes on asking'), read(neighbour)]);
  t.match(first, { status: 200 }, 'whoever goes on asking is answered later than others');
  t.equal((await again).status, 429);
  t.equal((await app.admin('GET', `/tenants/${tenant.id}`)).status, 200, 'the operator is not limited');
  milliseconds += 1_000;
  t.equal((await read(scim)).status, 200);
  const refused = lines.map((line) => JSON.parse(line)).filter(({ status }) => status === 429);
  t.same(
    refused.map(({ level }) => level),
    [30, 30, 20],
    'the first of each key is told at once, and the others in a sum',
  );
  for (const line of refused)
    t.match(line, { tenant: tenant.id, reason: 'rate_limited', outcome: 'refused' });
  await app.flushClients();
  const { body } = await app.admin<{ refusedRequests: readonly { status: number }[] }>(
    'GET',
    `/tenants/${tenant.id}/refused-requests`,
  );
  t.same(
    body.refusedRequests.map(({ status }) => status),
    [429],
    'nor do they take the place of other refusals',
  );
});

t.test('what is charged is paid by those that come behind it, and by no other key for long', async (t) => {
  const { ask, pass, charge } = limits({ perSecond: 40, burst: 40 });
  const [key, other] = [keyOf('k', 't'), keyOf('other', 't')];
  t.equal(ask(key), 0);
  charge(key, 119);
  t.equal(ask(key), 3, 'its own part is used up as well');
  t.throws(() => charge(key, 1), { code: 'too_many_requests', retryAfter: 3 }, 'nor can it owe more');
  t.equal(ask(other), 0, 'the others have theirs');
  pass(2_000);
  t.equal(ask(key), 1);
  pass(25);
  t.same([ask(key), ask(key)], [0, 1]);
});

t.test('what was answered is owed, whatever is owed already', async (t) => {
  const { ask, pass, owe } = limits({ perSecond: 40, burst: 40 });
  const [key, other] = [keyOf('k', 't'), keyOf('other', 't')];
  t.equal(ask(key), 0);
  for (let answers = 0; answers < 3; answers += 1) owe(key, 40);
  owe({ kind: 'operator' } as Principal, 1_000);
  t.equal(ask(key), 3);
  t.equal(ask(other), 0, 'the others have their part');
  pass(2_050);
  t.equal(ask(key), 0);
});

t.test('a large answer counts as one request for each 32 KiB', async (t) => {
  const app = await startApp(t, { now: () => new Date(0), rate: { perSecond: 1, burst: 5 } });
  const tenant = await app.createTenant();
  await crowd(app, tenant, 3_000, 1);
  const client = clientOf(app, await app.scimKey(tenant));
  const group = `/Groups/${groupId(1)}`;
  t.equal((await client.ask('GET', `${group}?excludedAttributes=members`)).status, 200);
  const { status, text } = await client.ask('GET', group);
  t.equal(status, 200, 'it is not refused itself');
  const requests = Math.floor(text.length / (32 * 1024));
  t.ok(requests > 5);
  const refused = await client.ask('GET', `${group}?excludedAttributes=members`);
  t.match(refused, { status: 429, headers: { 'retry-after': String(requests - 2) } });
});

t.test('a /Bulk counts as many requests as it has operations', async (t) => {
  const app = await startApp(t, { now: () => new Date(0), rate: { perSecond: 1, burst: 5 } });
  const client = clientOf(app, await app.scimKey(await app.createTenant()));
  const operations = Array.from({ length: 6 }, (_, n) => ({
    method: 'POST',
    path: '/Users',
    bulkId: `b${n}`,
    data: { schemas: [USER], userName: `user-${n}` },
  }));
  const { body } = await bulkOf(client)(operations);
  t.same(
    body.Operations.map(({ status }) => status),
    operations.map(() => '201'),
  );
  const { status, headers } = await client.ask('GET', '/Users');
  t.equal(status, 429);
  t.equal(headers['retry-after'], '2');
});

t.test('what is asked where there is nothing counts too', async (t) => {
  const app = await startApp(t, { now: () => new Date(0), rate: { perSecond: 1, burst: 2 } });
  const key = await app.scimKey(await app.createTenant());
  const statuses: number[] = [];
  for (let n = 0; n < 3; n += 1)
    statuses.push((await app.send('GET', '/api/scim/v2/Nowhere', { key })).status);
  t.same(statuses, [404, 404, 429]);
});
