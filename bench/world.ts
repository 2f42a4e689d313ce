import { type Anchors, startAnchors } from './anchors/anchors.ts';
import type { Directory } from './contestant.ts';
import type { Scale } from './options.ts';
import { startPeers } from './peers/peers.ts';
import { populationOf } from './population.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import type { Scratch } from './processes.ts';
import { makeTenant, startService, type Tenant } from './service.ts';

/** Everything that runs while the benchmark measures. */
export interface World {
  readonly postgres: Postgres;
  /** Those that are loaded. */
  readonly tenants: readonly Tenant[];
  readonly peers: readonly Directory[];
  readonly anchors: Anchors;
  /** Loads directories of these sizes where they are not: of the service alone. */
  load(sizes: readonly number[]): Promise<void>;
}

interface Wanted {
  readonly scale: Scale;
  say(line: string): void;
}

/**
 * Starts all contestants with the same directories. What only the service is asked is loaded when it is: beside a million
 * users whom the others do not hold, its tables would fit into no cache.
 */
export async function startWorld(scratch: Scratch, { scale, say }: Wanted): Promise<World> {
  const postgres = await startPostgres(scratch);
  say('starting the service');
  const service = await startService(scratch, postgres);
  const tenants: Tenant[] = [];
  const load = async (sizes: readonly number[]) => {
    for (const population of sizes.map(populationOf)) {
      if (tenants.some((tenant) => tenant.population.users === population.users)) continue;
      say(`loading ${population.users.toLocaleString('en')} users`);
      tenants.push(await makeTenant(service, `bench-${population.users}`, population));
    }
  };
  await load(scale.users);
  say('starting the anchors');
  const populations = scale.users.map(populationOf);
  const anchors = await startAnchors(scratch, postgres, populations);
  const peers = await startPeers(scratch, postgres, { populations, say });
  return { postgres, tenants, peers, anchors, load };
}
