import type { Scale } from '../options.ts';
import { groupNamed } from '../population.ts';
import type { Tenant } from '../service.ts';
import type { Workload } from '../workload.ts';
import { largest, type OwnCase, one } from './case.ts';
import { patchGroup } from './group.ts';
import { mappingChanges } from './mapping.ts';
import { getUser } from './read.ts';
import { signIns } from './sign-in.ts';

/** What one client feels of another who asks for much: the same requests as in a case of their own, beside it. */

/** Measures one workload, from the moment in which the other begins. */
function beside(measured: Workload, other: Workload, connections: number): Workload {
  return {
    async run(own, milliseconds) {
      let begun = () => {};
      const begin = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const disturbing = other.run(connections, milliseconds, begun);
      await Promise.race([begin, disturbing]);
      const slice = await measured.run(own, milliseconds);
      const { failures, fault } = await disturbing;
      if (failures === 0) return slice;
      return { ...slice, failures: slice.failures + 1, fault: `The other's: ${fault}` };
    },
    close: async () => {
      await Promise.all([measured.close(), other.close()]);
    },
  };
}

const BURST = 16;

const base = {
  of: 'rollcall',
  others: 'it is only compared with the same requests alone',
  points: (scale: Scale) => [{ users: largest(scale) }],
  connections: one,
} as const;

const mapped = (tenant: Tenant) => patchGroup(tenant, groupNamed(tenant.population, 'Mapped'));

export const BESIDE_CASES: readonly OwnCase[] = [
  {
    ...base,
    name: 'beside-sign-ins',
    title: `GET a user, beside SAML sign-ins on ${BURST} connections`,
    prepare: async (tenant) => beside(getUser(tenant), await signIns(tenant, 'saml', 'unchanged'), BURST),
  },
  {
    ...base,
    name: 'beside-mapping-change',
    title: 'PATCH a group that gives a team, beside a mapping change for all users',
    prepare: (tenant) => beside(mapped(tenant), mappingChanges(tenant), 1),
  },
];
