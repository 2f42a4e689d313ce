import type { SignInAnswer } from '../src/actions/sign-in-verdict.ts';
import {
  claimsProvider,
  type IdentityProvider,
  KINDS,
  type Kind,
  oidcProvider,
  type Person,
  samlProvider,
} from './identity-providers.ts';
import { type Answer, type Service, startService } from './service.ts';
import { fillTenant, mappingOf, type Size, userId } from './tenant.ts';
import { type Row, report, rounded, type Times, timesOf } from './times.ts';

/**
 * What a sign-in takes, and what others feel of a burst of them. Everything measured is asked by HTTP; assertions are
 * signed before the clock runs. Claims need no verification, so what another kind takes beyond them is that. `npm run bench:sign-in`.
 */

const SIZE: Size = { users: 2_000, groups: 1_000, teams: 200 };
/** Who sign in by each provider, once in each series. */
const PEOPLE = 100;
/** One after the other, while nothing else is asked. */
const READS = 500;
/** Sign-ins of a burst, as many at a time as a burst has. */
const BURST = { count: 3 * PEOPLE, concurrency: 16 };

interface World extends Service {
  readonly providers: Readonly<Record<Kind, IdentityProvider>>;
  readonly gatewayKey: string;
  readonly scimKey: string;
}

async function newWorld(
  service: Service,
  providers: readonly IdentityProvider[],
): Promise<Omit<World, 'providers'>> {
  const ask = async <Body>(method: string, path: string, body: unknown): Promise<Body> => {
    const answer = await service.ask<Body>(method, `/api/admin/v1/tenants${path}`, body);
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  };
  const { id } = await ask<{ id: string }>('POST', '', { name: 'bench' });
  const keyOf = async (...scopes: string[]) =>
    (await ask<{ key: string }>('POST', `/${id}/api-keys`, { name: 'Bench', scopes })).key;
  const [scimKey, gatewayKey] = [await keyOf('scim'), await keyOf('jit', 'jit:claims')];
  await fillTenant(service.connectionString, id, SIZE);
  await ask('PUT', `/${id}/group-mapping`, mappingOf(SIZE, 'EDITOR'));
  for (const { kind, settings } of providers) {
    const provider = { name: kind, kind, jit: 'enhanced', groupAttribute: 'groups', ...settings };
    await ask('POST', `/${id}/identity-providers`, provider);
  }
  return { ...service, scimKey, gatewayKey };
}

/** The person of a turn, in five groups that each give another team; one of them depends on the round. */
function personOf({ kind, round }: Series, turn: number): Person {
  const n = turn % PEOPLE;
  const others = [1, 2, 3, 4].map((k) => (n + k * 37) % SIZE.groups);
  const groups = [n + 1 + 20 * round, ...others].map((group) => `Group ${group}`);
  return { subject: `${kind}-${n}`, groups };
}

interface Series {
  readonly kind: Kind;
  readonly count: number;
  readonly concurrency: number;
  readonly outcome: SignInAnswer['outcome'];
  /** Of whose groups: a sign-in in another round than the one before changes a team. */
  readonly round: 0 | 1;
}

/** The bodies of a series, each of which is used once. Signing them keeps this process from measuring anything. */
async function signed({ providers }: World, series: Series): Promise<object[]> {
  const bodies: object[] = [];
  for (let turn = 0; turn < series.count; turn += 1) {
    bodies.push(await providers[series.kind].signIn(personOf(series, turn)));
  }
  return bodies;
}

/** Signs people in; whatever has another outcome is a failure. */
async function signIn({ ask, gatewayKey }: World, series: Series, bodies: readonly object[]): Promise<Times> {
  const { kind, concurrency, outcome } = series;
  process.stderr.write(`${kind}, ${outcome}, ${concurrency} at a time\n`);
  const answers: Answer<Partial<SignInAnswer>>[] = [];
  const turns = bodies.values();
  const gateway = async () => {
    for (const body of turns) {
      answers.push(await ask('POST', '/jit/assert', { identityProvider: kind, ...body }, gatewayKey));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, gateway));
  const times = timesOf(answers, ({ body }) => body.outcome === outcome);
  const [failed] = answers.filter(({ body }) => body.outcome !== outcome);
  if (failed) process.stderr.write(`not ${outcome}: ${failed.status} ${JSON.stringify(failed.body)}\n`);
  return times;
}

/** The first sign-ins of everybody by each kind, then those that change nothing, and those that change a team. */
const SIGN_INS: readonly Omit<Series, 'kind'>[] = [
  { outcome: 'created', count: PEOPLE, concurrency: 1, round: 0 },
  { outcome: 'unchanged', count: PEOPLE, concurrency: 1, round: 0 },
  { outcome: 'updated', count: PEOPLE, concurrency: 1, round: 1 },
  { outcome: 'unchanged', count: PEOPLE, concurrency: 8, round: 1 },
  { outcome: 'updated', count: PEOPLE, concurrency: 8, round: 0 },
];

async function measureSignIns(world: World): Promise<Row[]> {
  const rows: Row[] = [];
  for (const ofEach of SIGN_INS) {
    let baseline = Number.NaN;
    for (const kind of KINDS) {
      const series = { ...ofEach, kind };
      const times = await signIn(world, series, await signed(world, series));
      if (kind === 'claims') baseline = times.p50;
      const measured = `${kind}, ${series.outcome}, ${series.concurrency} at a time`;
      rows.push({ measured, ...times, overClaims: rounded(times.p50 - baseline) });
    }
  }
  return rows;
}

/** One SCIM GET after the other, until `isOver`. */
async function read({ ask, scimKey }: World, isOver: (count: number) => boolean): Promise<Times> {
  const answers: Answer<unknown>[] = [];
  while (!isOver(answers.length)) {
    const id = userId((answers.length * 7_919) % SIZE.users);
    answers.push(await ask('GET', `/api/scim/v2/Users/${id}`, undefined, scimKey));
  }
  return timesOf(answers, ({ status }) => status === 200);
}

/** What a SCIM client feels of a burst of sign-ins; that of claims shows how much of it is verification. */
async function measureBursts(world: World): Promise<Row[]> {
  const rows: Row[] = [{ measured: 'SCIM GET, nothing else', ...(await read(world, (n) => n >= READS)) }];
  for (const kind of ['claims', 'saml'] as const) {
    const series = { ...BURST, kind, outcome: 'unchanged', round: 0 } as const;
    const bodies = await signed(world, series);
    let isOver = false;
    const burst = signIn(world, series, bodies);
    void burst.finally(() => {
      isOver = true;
    });
    rows.push({ measured: `SCIM GET beside a burst of ${kind}`, ...(await read(world, () => isOver)) });
    rows.push({ measured: `${kind} of the burst, ${BURST.concurrency} at a time`, ...(await burst) });
  }
  return rows;
}

async function main(): Promise<void> {
  const service = await startService({ ALLOW_LOOPBACK_IDENTITY_PROVIDERS: 'true' });
  const providers = { claims: claimsProvider(), saml: samlProvider(), oidc: await oidcProvider() };
  try {
    const world = { ...(await newWorld(service, Object.values(providers))), providers };
    const rows = [...(await measureSignIns(world)), ...(await measureBursts(world))];
    await report('sign-in', { ...SIZE, people: PEOPLE }, rows);
  } finally {
    await service.stop();
    for (const provider of Object.values(providers)) provider.close();
  }
}

await main();
