import type { Directory, Lane } from '../contestant.ts';
import { populationOf } from '../population.ts';
import type { Entry } from '../rounds.ts';
import { makeTenant, type Service, type Tenant } from '../service.ts';
import { httpWorkload } from '../workload.ts';
import { type ComparedCase, named } from './case.ts';
import { userReads } from './read.ts';
import { newUsers } from './write.ts';

/**
 * The same requests by 32 tenants, one connection each, and by one: what meets in one tenant goes to the database
 * together, so requests that share nothing are the most expensive that there are.
 */

const TENANTS = 32;
const USERS = 1_000;

const made = new WeakMap<Service, Promise<readonly Tenant[]>>();

/** Made once, whichever case asks first. */
function manyTenants(service: Service): Promise<readonly Tenant[]> {
  const tenants = made.get(service) ?? makeTenants(service);
  made.set(service, tenants);
  return tenants;
}

async function makeTenants(service: Service): Promise<readonly Tenant[]> {
  const tenants: Tenant[] = [];
  for (let n = 0; n < TENANTS; n += 1) {
    tenants.push(await makeTenant(service, `spread-${n}`, populationOf(USERS), n === TENANTS - 1));
  }
  return tenants;
}

type LanesOf = (directory: Directory, lane: number) => Lane;

/** Each lane with the key of another tenant. */
function* keyed(lane: Lane, key: string): Lane {
  for (const exchange of lane) yield { ...exchange, key };
}

const compared =
  (lanesOf: LanesOf) =>
  async (tenant: Tenant): Promise<Entry[]> => {
    const { contestant } = tenant;
    const tenants = await manyTenants(contestant);
    const spread = (n: number) => {
      const own = tenants[n % TENANTS] ?? tenant;
      return keyed(lanesOf(own, n), own.key);
    };
    return [
      { contestant, workload: httpWorkload(tenant, spread) },
      {
        contestant: named(contestant, 'one tenant'),
        workload: httpWorkload(tenant, (n) => lanesOf(tenant, n)),
      },
    ];
  };

const base = {
  of: 'rollcall',
  others: 'it is compared with itself, asked by one tenant',
  points: ({ users }) => [{ users: Math.min(...users) }],
  connections: () => [TENANTS],
} as const satisfies Partial<ComparedCase>;

export const SPREAD_CASES: readonly ComparedCase[] = [
  {
    ...base,
    floor: 'select',
    name: 'spread-get',
    title: `GET a user, by ${TENANTS} tenants at a time`,
    compare: compared(userReads),
  },
  {
    ...base,
    floor: 'insert',
    name: 'spread-post',
    title: `POST a user, by ${TENANTS} tenants at a time`,
    compare: compared(newUsers),
  },
];
