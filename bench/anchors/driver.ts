import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type Population, populationOf, spread, userId, userOf } from '../population.ts';
import { latencyOf } from '../statistics.ts';
import type { Slice } from '../workload.ts';
import { type Floor, INSERT, MEMBER, SELECT } from './statements.ts';

/** The ceiling of the driver: the statements of the floors in a loop on each connection, without HTTP. */

export interface DriverOrder {
  readonly statement: Floor;
  readonly users: number;
  /** The id of the group that gets one member more or less. */
  readonly group: string;
  readonly connections: number;
  readonly milliseconds: number;
}

const clients: pg.Client[] = [];

async function clientOf(lane: number): Promise<pg.Client> {
  const existing = clients[lane];
  if (existing) return existing;
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  clients[lane] = client;
  return client;
}

/** Whom the floor by HTTP takes in and out are others. */
const OTHERS = 100;

function queryOf(
  { statement, group, connections }: DriverOrder,
  population: Population,
  turn: number,
): pg.QueryConfig {
  if (statement === 'select') return { ...SELECT, values: [userId(population, spread(population, turn))] };
  if (statement === 'insert') {
    return { ...INSERT, values: [randomUUID(), JSON.stringify(userOf(population, turn))] };
  }
  const person = userId(population, population.users - 1 - OTHERS - (turn % connections));
  return { ...MEMBER, values: [group, person, Math.floor(turn / connections) % 2 === 0] };
}

async function run(order: DriverOrder): Promise<Slice> {
  const { users, connections, milliseconds } = order;
  const population = populationOf(users);
  const lanes = await Promise.all(Array.from({ length: connections }, (_, lane) => clientOf(lane)));
  const latencies: number[] = [];
  let failures = 0;
  const begin = performance.now();
  await Promise.all(
    lanes.map(async (client, lane) => {
      for (let turn = lane; performance.now() - begin < milliseconds; turn += connections) {
        const started = performance.now();
        const { rowCount } = await client.query(queryOf(order, population, turn));
        latencies.push(performance.now() - started);
        if (rowCount !== 1) failures += 1;
      }
    }),
  );
  return {
    milliseconds: performance.now() - begin,
    count: latencies.length,
    failures,
    ...latencyOf(latencies),
  };
}

process.on('message', (order: DriverOrder) => {
  void run(order).then((slice) => process.send?.(slice));
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
