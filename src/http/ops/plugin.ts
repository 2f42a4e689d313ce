import type { FastifyInstance, RouteShorthandOptions } from 'fastify';
import type { Context } from '../../context.ts';
import { RETRY_AFTER } from '../status.ts';
import { makeReadiness, type Unready } from './readiness.ts';

const DETAIL: Record<Unready, string> = {
  draining: 'The process is stopping and takes no new requests',
  database: 'The database does not answer',
  migrations: 'The database lacks migrations of this release',
};

const OK = { type: 'object', properties: { status: { const: 'ok' } } };
const UNAVAILABLE = {
  type: 'object',
  properties: {
    status: { const: 'unavailable' },
    failed: { enum: Object.keys(DETAIL) },
    detail: { type: 'string' },
  },
};

/** For those who run the service: open to everybody, and quiet in the log while all is well. */
export async function opsSurface(
  surface: FastifyInstance,
  { context, isDraining }: { context: Context; isDraining(): boolean },
): Promise<void> {
  const readiness = makeReadiness(context.db);
  surface.addHook('onClose', () => readiness.close());
  surface.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  surface.get('/healthz', probe('Whether the process lives', { 200: OK }), async () => ({ status: 'ok' }));
  surface.get(
    '/readyz',
    probe('Whether requests will be served', { 200: OK, 503: UNAVAILABLE }),
    async (_request, reply) => {
      const failed = isDraining() ? 'draining' : await readiness.check();
      if (failed === undefined) return { status: 'ok' };
      reply.code(503).header('retry-after', RETRY_AFTER);
      return { status: 'unavailable', failed, detail: DETAIL[failed] };
    },
  );
}

function probe(summary: string, response: object): RouteShorthandOptions {
  return { config: { quiet: true }, schema: { summary, tags: ['Operations'], security: [], response } };
}
