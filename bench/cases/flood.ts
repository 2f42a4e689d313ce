import { fileURLToPath } from 'node:url';
import type { FloodOrder, FloodTold } from '../flood.ts';
import { populationOf, userId } from '../population.ts';
import { launch, messageOf, type Running } from '../processes.ts';
import type { Entry } from '../rounds.ts';
import { type Limited, makeTenant, type Tenant } from '../service.ts';
import type { Workload } from '../workload.ts';
import { type ComparedCase, named, one } from './case.ts';
import { getUser } from './read.ts';
import { postUser } from './write.ts';

/**
 * What a tenant feels of another that asks ten times as often as it may: the same requests beside it and alone, of an
 * instance whose rates are limited as by default. It asks in a pace, as a tenant that keeps within its limit.
 */

/** Ten times `RATE_LIMIT`. */
const RATE = 5_000;
/** Of it, what has to have been wanted: a slice is not of whole turns. */
const REACHED = 0.98;
/** How long the flood may take to use up its burst, in milliseconds. */
const LEAD = 10_000;
/** Of the tenant that is measured: 100 requests a second on one connection, and a slice that has enough for a p99. */
const PACE = { milliseconds: 10, slice: 10_000 } as const;

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
      const told = messageOf<FloodTold>(flood);
      const [slice, { offered, wanted, answers }] = await Promise.all([
        workload.run(connections, milliseconds),
        told,
      ]);
      const also = { 'flood, requests per s': offered };
      const fault = faultOf({ offered, wanted, answers });
      return { ...slice, also, ...(fault !== undefined && { failures: slice.failures + 1, fault }) };
    },
    close: async () => {
      await workload.close();
      await flood.end();
    },
  };
}

/**
 * What is wrong with a flood that was none, was not held back, or was answered in another way than it should be. It is
 * none where it had no wish to ask so often; that it has no free connection left is the service's doing.
 */
export function faultOf({ wanted, answers }: FloodTold): string | undefined {
  const others = Object.keys(answers).filter((status) => !['200', '201', '429'].includes(status));
  if (others.length > 0) return `The flood was answered ${JSON.stringify(answers)}`;
  if (answers['429'] === undefined) return 'The flood was not held back';
  if (wanted >= RATE * REACHED) return undefined;
  return `The flood wanted ${Math.round(wanted)} requests a second in place of ${RATE}`;
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
    const contestant = { ...tenant.contestant, pid: limited.pid };
    const flood = await launchFlood(tenant, limited);
    return [
      { contestant, workload: long(beside(measured(paced), flood)) },
      { contestant: named(contestant, 'alone'), workload: long(measured(paced)) },
    ];
  };

const base = {
  of: 'rollcall',
  others: 'it is compared with itself, without the flood',
  points: ({ users }) => [{ users: Math.min(...users) }],
  connections: one,
  takes: 20_000,
} as const satisfies Partial<ComparedCase>;

export const FLOOD_CASES: readonly ComparedCase[] = [
  {
    ...base,
    name: 'beside-flood-get',
    title: `GET a user, beside a tenant that wants to ask ${RATE} times a second`,
    compare: compared(getUser),
  },
  {
    ...base,
    name: 'beside-flood-post',
    title: `POST a user, beside a tenant that wants to ask ${RATE} times a second`,
    compare: compared(postUser),
  },
];
