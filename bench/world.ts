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
  readonly tenants: readonly Tenant[];
  readonly peers: readonly Directory[];
  readonly anchors: Anchors;
}

interface Wanted {
  readonly scale: Scale;
  /** Of directories, of the service alone also those that the scale does not name. */
  readonly sizes: readonly number[];
  say(line: string): void;
}

export async function startWorld(scratch: Scratch, { scale, sizes, say }: Wanted): Promise<World> {
  const postgres = await startPostgres(scratch);
  say('starting the service');
  const service = await startService(scratch, postgres);
  const tenants: Tenant[] = [];
  for (const population of sizes.map(populationOf)) {
    say(`loading ${population.users.toLocaleString('en')} users`);
    tenants.push(await makeTenant(service, `bench-${population.users}`, population));
  }
  say('starting the anchors');
  const populations = scale.users.map(populationOf);
  const anchors = await startAnchors(scratch, postgres, populations);
  const peers = await startPeers(scratch, postgres, { populations, say });
  return { postgres, tenants, peers, anchors };
}
