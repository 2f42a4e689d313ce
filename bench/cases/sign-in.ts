import type { SignInAnswer } from '../../src/actions/sign-in-verdict.ts';
import type { Exchange, Lane } from '../contestant.ts';
import { type IdentityProvider, KINDS, type Kind, openProvider } from '../identity-providers.ts';
import { claimedGroup, keyOf, type Tenant } from '../service.ts';
import { preparedWorkload, type Workload } from '../workload.ts';
import { everyConnections, everyDirectory, type OwnCase } from './case.ts';

/**
 * Sign-ins by each kind of provider, of people that no directory manages: those that change nothing, and those whose
 * groups have changed. Assertions are signed before the clock runs. Claims need no verification, so what another kind
 * takes beyond them is that.
 */

const MOST_LANES = 32;
/** Of each lane, so that nobody signs in twice at a time. */
const PEOPLE_PER_LANE = 3;
/** Signed for a slice; one that is through with them ends. */
const PER_SLICE = 256;
/** Longer than the first ones take, in milliseconds. */
const FIRST_SIGN_INS = 60_000;

type Outcome = SignInAnswer['outcome'];

/** A gateway of a tenant, and what it has said of people's groups so far. */
interface Gateway {
  readonly tenant: Tenant;
  readonly provider: IdentityProvider & { readonly name: string };
  readonly key: string;
  /** Of whose groups there are two sets: the one that was told last. */
  readonly told: Map<number, number>;
}

async function openGateway(tenant: Tenant, kind: Kind): Promise<Gateway> {
  const provider = await openProvider(kind);
  const { settings } = provider;
  // Every case has a provider of its own: nobody has signed in by it.
  const name = `${kind}-${Math.random().toString(36).slice(2, 8)}`;
  const asked = { name, kind, jit: 'enhanced', groupAttribute: 'groups', ...settings };
  await tenant.contestant.administer('POST', `/${tenant.id}/identity-providers`, asked);
  const key = await keyOf(tenant.contestant, tenant.id, 'jit', 'jit:claims');
  return { tenant, provider: { ...provider, name }, key, told: new Map() };
}

const peopleOf = (lane: number) => Array.from({ length: PEOPLE_PER_LANE }, (_, n) => n * MOST_LANES + lane);

/** In five groups that each give another team; one of them is another in the second set. */
function personOf({ provider }: Gateway, n: number, set: number) {
  const others = [1, 2, 3, 4].map((k) => claimedGroup(n + k * 37));
  return { subject: `${provider.name}-${n}`, groups: [claimedGroup(n + 1 + 20 * set), ...others] };
}

/** What a gateway posts of one sign-in, and whose groups it tells. */
interface Signed {
  readonly person: number;
  readonly set: number;
  readonly exchange: Exchange;
}

interface Asked {
  readonly outcome: Outcome;
  /** Sign-ins of each lane. */
  readonly count: number;
}

/** Signs for everybody of a lane, one after the other and over again. */
async function sign(gateway: Gateway, lane: number, { outcome, count }: Asked): Promise<Signed[]> {
  const { provider, key, told } = gateway;
  const people = peopleOf(lane);
  const sets = new Map(people.map((person) => [person, told.get(person) ?? 0]));
  const signed: Signed[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const person = people[turn % people.length] ?? 0;
    const set = ((sets.get(person) ?? 0) + (outcome === 'updated' ? 1 : 0)) % 2;
    sets.set(person, set);
    const assertion = await provider.signIn(personOf(gateway, person, set));
    const exchange: Exchange = {
      method: 'POST',
      path: '/jit/assert',
      mediaType: 'application/json',
      key,
      body: JSON.stringify({ identityProvider: provider.name, ...assertion }),
      expects: (status, text) =>
        status === (outcome === 'created' ? 201 : 200) && text.includes(`"outcome":"${outcome}"`),
    };
    signed.push({ person, set, exchange });
  }
  return signed;
}

/** Posts them; what a slice leaves over was not told. */
function* posts({ told }: Gateway, signed: readonly Signed[]): Lane {
  for (const { person, set, exchange } of signed) {
    told.set(person, set);
    yield exchange;
  }
}

/** Sign-ins by a new provider, behind the first one of everybody. */
export async function signIns(tenant: Tenant, kind: Kind, outcome: Outcome): Promise<Workload> {
  const gateway = await openGateway(tenant, kind);
  const prepare = async (connections: number, asked: Asked) => {
    const lanes: Lane[] = [];
    for (let lane = 0; lane < connections; lane += 1) {
      lanes.push(posts(gateway, await sign(gateway, lane, asked)));
    }
    return lanes;
  };
  const everybody = { outcome: 'created', count: PEOPLE_PER_LANE } as const;
  const first = preparedWorkload(tenant, (connections) => prepare(connections, everybody));
  const { failures, fault } = await first.run(MOST_LANES, FIRST_SIGN_INS);
  await first.close();
  if (failures > 0) throw new Error(`The first sign-ins by ${kind} failed: ${fault}`);
  return preparedWorkload(tenant, (connections) =>
    prepare(connections, { outcome, count: Math.ceil(PER_SLICE / connections) }),
  );
}

const TITLES = { unchanged: 'that changes nothing', updated: 'that changes a team' } as const;

export const SIGN_IN_CASES: readonly OwnCase[] = (['unchanged', 'updated'] as const).flatMap((outcome) =>
  KINDS.map((kind) => ({
    of: 'rollcall',
    ...(outcome === 'unchanged' && { quick: true }),
    name: `sign-in-${kind}-${outcome}`,
    title: `sign-in by ${kind} ${TITLES[outcome]}`,
    others: 'no peer takes a sign-in that a gateway received',
    points: everyDirectory,
    connections: everyConnections,
    prepare: (tenant) => signIns(tenant, kind, outcome),
  })),
);
