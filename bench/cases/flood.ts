import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Contestant } from '../contestant.ts';
import type { FloodOrder, FloodTally } from '../flood.ts';
import { populationOf, userId } from '../population.ts';
import { launch, messageOf, type Running } from '../processes.ts';
import type { Entry } from '../rounds.ts';
import { type Limited, makeTenant, type Tenant } from '../service.ts';
import type { Slice, Workload } from '../workload.ts';
import { type ComparedCase, one } from './case.ts';
import { getUser } from './read.ts';
import { postUser } from './write.ts';

/**
 * What a tenant feels of another that asks ten times as often as it may: the same requests beside it and alone, of an
 * instance whose rates are limited as by default. It asks in a pace, as a tenant that keeps within its limit.
 */

/** Ten times `RATE_LIMIT`. */
const RATE = 5_000;
/** How long the flood may take to use up its burst, in milliseconds. */
const LEAD = 10_000;
/** Of the tenant that is measured: 100 requests a second on one connection, and a slice that has enough for a p99. */
const PACE = { milliseconds: 10, slice: 3_000 } as const;

const FLOOD = fileURLToPath(new URL('../flood.js', import.meta.url));

async function launchFlood(tenant: Tenant, { origin, scratch }: Limited): Promise<Running> {
  const population = populationOf(1_000);
  const flooding = await makeTenant(tenant.contestant, `flood-${Date.now()}`, population);
  const env = { ORIGIN: origin, KEY: flooding.key, USER_ID: userId(population, 7) };
  return launch(scratch, { name: 'flood', file: FLOOD, env });
}

/** The workload while the flood is at work, from the moment on in which it is held back. */
function beside(workload: Workload, flood: Running): Workload {
  return {
    async run(connections, milliseconds) {
      const order: FloodOrder = { lead: LEAD, milliseconds, rate: RATE };
      flood.child.send(order);
      await messageOf(flood);
      const tally = messageOf<FloodTally>(flood);
      const slice = await workload.run(connections, milliseconds);
      return withTally(slice, await tally);
    },
    close: async () => {
      await workload.close();
      flood.child.kill();
      await once(flood.child, 'exit');
    },
  };
}

/** A flood that is answered in another way than it should be is a failure. */
function withTally(slice: Slice, tally: FloodTally): Slice {
  const others = Object.keys(tally).filter((status) => !['200', '201', '429'].includes(status));
  if (others.length === 0) return slice;
  return { ...slice, failures: slice.failures + 1, fault: `The flood: ${JSON.stringify(tally)}` };
}

const long = (workload: Workload): Workload => ({
  ...workload,
  run: (connections, milliseconds) => workload.run(connections, Math.max(milliseconds, PACE.slice)),
});

const compared =
  (measured: (tenant: Tenant) => Workload) =>
  async (tenant: Tenant): Promise<Entry[]> => {
    const limited = await tenant.contestant.limited();
    const paced: Tenant = { ...tenant, origin: limited.origin, pace: PACE.milliseconds };
    const named = (name: string, kind: Contestant['kind']) => ({
      ...tenant.contestant,
      name,
      kind,
      pid: limited.pid,
    });
    const flood = await launchFlood(tenant, limited);
    return [
      { contestant: named('rollcall', 'service'), workload: long(beside(measured(paced), flood)) },
      { contestant: named('rollcall, alone', 'anchor'), workload: long(measured(paced)) },
    ];
  };

const base = {
  of: 'rollcall',
  others: 'it is compared with itself, without the flood',
  points: ({ users }) => [{ users: Math.min(...users) }],
  connections: one,
} as const satisfies Partial<ComparedCase>;

export const FLOOD_CASES: readonly ComparedCase[] = [
  {
    ...base,
    name: 'beside-flood-get',
    title: `GET a user, beside a tenant that asks ${RATE} times a second`,
    compare: compared(getUser),
  },
  {
    ...base,
    name: 'beside-flood-post',
    title: `POST a user, beside a tenant that asks ${RATE} times a second`,
    compare: compared(postUser),
  },
];
