import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/**
 * Answers 405 with `Allow` (RFC 9110 section 15.5.6) where Fastify would say 404: on a path that a scope has,
 * with a method that the path has not. Call it before the scope's first route, and what it returns behind the
 * last: that adds the missing methods of each path. They answer from `onRequest`, behind the scope's own hooks
 * and before a body is read.
 */
export function refuseOtherMethods(
  scope: FastifyInstance,
  answer: (request: FastifyRequest, reply: FastifyReply) => FastifyReply,
): () => void {
  const methodsOf = new Map<string, Set<string>>();
  scope.addHook('onRoute', ({ url, method }) => {
    const methods = methodsOf.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    methodsOf.set(url, methods);
  });
  return () => {
    // Copied, because each route that is added here tells the hook of itself.
    for (const [url, methods] of [...methodsOf]) {
      const allow = [...methods].sort().join(', ');
      const refuse = async (request: FastifyRequest, reply: FastifyReply) =>
        answer(request, reply.header('allow', allow));
      scope.route({
        method: scope.supportedMethods.filter((method) => !methods.has(method)),
        url: url.slice(scope.prefix.length),
        schema: { hide: true },
        onRequest: refuse,
        handler: refuse,
      });
    }
  };
}
