import type { FastifyInstance } from 'fastify';
import type { Authenticate } from '../tenants/authenticate.ts';
import { requirePrincipal } from './plugins/bearer-auth.ts';
import { readJsonBodies } from './plugins/json-body.ts';
import { answerWrongMethods } from './plugins/method-not-allowed.ts';
import { sendProblem, sendWrongMethod } from './problem.ts';
import { Problem, readLimit, refuseUnknownQuery } from './shapes.ts';

/**
 * What the surfaces that speak plain JSON have in common: bodies, refusals as problem documents, and nobody
 * enters without a credential. To be called before the routes; call what it returns behind them.
 */
export function speakJson(surface: FastifyInstance, authenticate: Authenticate): () => void {
  readJsonBodies(surface, ['application/json']);
  surface.setErrorHandler(sendProblem);
  // Gives unknown paths the hooks of this surface; `refuseUnknownRoute` is before the handler.
  surface.setNotFoundHandler(() => undefined);
  surface.addSchema(Problem);
  surface.addHook('onRequest', requirePrincipal(authenticate));
  surface.addHook('preValidation', readLimit);
  surface.addHook('preValidation', refuseUnknownQuery);
  return answerWrongMethods(surface, sendWrongMethod);
}
