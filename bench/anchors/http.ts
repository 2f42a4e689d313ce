import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import pg from 'pg';
import { INSERT, MEMBER, SELECT } from './statements.ts';

/**
 * The floors by HTTP: what the same stack takes for the least that such a request can be, without authentication,
 * validation, filters, versions of answers and reconciliation. GET is one prepared `select` by key, whose row goes out
 * by a response schema; POST is one statement that writes the resource and its event; PATCH of a group one that writes
 * a member, the group's version and the event.
 */

const POOL_SIZE = 10;

const text = { type: 'string' } as const;
const user = {
  type: 'object',
  properties: {
    id: text,
    userName: text,
    externalId: text,
    active: { type: 'boolean' },
    name: { type: 'object', properties: { givenName: text, familyName: text } },
    displayName: text,
    emails: {
      type: 'array',
      items: { type: 'object', properties: { value: text, type: text, primary: { type: 'boolean' } } },
    },
    meta: { type: 'object', properties: { resourceType: text, created: text, version: text } },
  },
} as const;

interface Row {
  readonly id: string;
  readonly body: string;
  readonly version: string;
  readonly created_at: Date;
}

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: POOL_SIZE });
const app = Fastify();
const asJson = app.getDefaultJsonParser('error', 'error');
app.addContentTypeParser('application/scim+json', { parseAs: 'string' }, asJson);

app.get<{ Params: { id: string } }>(
  '/Users/:id',
  { schema: { response: { 200: user } } },
  async (request, reply) => {
    const { rows } = await pool.query<Row>({ ...SELECT, values: [request.params.id] });
    return rows[0] ? resourceOf(rows[0]) : reply.code(404).send();
  },
);

app.post<{ Body: { id: string } }>(
  '/Users',
  { schema: { response: { 201: user } } },
  async (request, reply) => {
    const { id, ...body } = request.body;
    const { rows } = await pool.query<Row>({ ...INSERT, values: [id, JSON.stringify(body)] });
    return reply.code(201).send(rows[0] && resourceOf(rows[0]));
  },
);

interface Patch {
  readonly Operations: readonly [
    { readonly op: string; readonly path: string; readonly value?: readonly [{ readonly value: string }] },
  ];
}

app.patch<{ Params: { id: string }; Body: Patch }>('/Groups/:id', async (request, reply) => {
  const [{ op, path, value }] = request.body.Operations;
  const person = value?.[0].value ?? /"(.*)"/.exec(path)?.[1];
  const { rowCount } = await pool.query({ ...MEMBER, values: [request.params.id, person, op === 'add'] });
  return reply.code(rowCount === 1 ? 204 : 404).send();
});

function resourceOf({ id, body, version, created_at }: Row) {
  const meta = { resourceType: 'User', created: created_at.toISOString(), version: `W/"${version}"` };
  return { ...JSON.parse(body), id, meta };
}

await app.listen({ host: '127.0.0.1', port: 0 });
process.on('disconnect', () => process.exit());
process.send?.({ port: (app.server.address() as AddressInfo).port });
