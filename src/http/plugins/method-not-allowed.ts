import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';

export const METHODS: readonly HTTPMethods[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
];

/**
 * Lets a scope answer a known path with the wrong method, which Fastify takes for an unknown route. To be called
 * before the routes; `answer` gets the methods that the path does have.
 */
export function answerWrongMethods(
  scope: FastifyInstance,
  answer: (allowed: string, request: FastifyRequest, reply: FastifyReply) => unknown,
): () => void {
  const methodsOf = new Map<string, Set<string>>();
  scope.addHook('onRoute', ({ path, method }) => {
    const known = methodsOf.get(path) ?? new Set();
    for (const each of [method].flat()) known.add(each);
    methodsOf.set(path, known);
  });
  return () => {
    for (const [path, known] of [...methodsOf]) {
      const allowed = [...known].join(', ');
      scope.route({
        method: METHODS.filter((method) => !known.has(method)),
        url: path.slice(scope.prefix.length) || '/',
        schema: { hide: true } as object,
        // Behind the scope's authentication, and before a body is read that nobody asked for.
        onRequest: async (request, reply) => answer(allowed, request, reply),
        handler: async () => undefined,
      });
    }
  };
}
