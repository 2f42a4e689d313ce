import type { FastifyInstance } from 'fastify';
import { badRequest, ScimError } from '../../scim/error.ts';
import type { Authenticate } from '../../tenants/authenticate.ts';
import { recognisePrincipal } from '../plugins/bearer-auth.ts';
import { sendScimError } from './errors.ts';

/** Below the public URL, SCIM in any version. */
export const SCIM_ROOT = '/api/scim';

/** Below the public URL, where the SCIM surface begins. */
export const SCIM_PREFIX = `${SCIM_ROOT}/v2`;

// What could be a version is left alone, and so is what the router would have to decode first.
const UNVERSIONED = /^\/+api\/+scim(?=\/+(?!v\d)[\w.])/i;

/** The URL of a request, with the newest version where it names none (RFC 7644 section 3.13). */
export function withVersion(url: string): string {
  return url.replace(UNVERSIONED, SCIM_PREFIX);
}

/** Beside the SCIM surface: refuses the versions that are not spoken (RFC 7644 section 3.13). */
export async function otherVersions(
  scope: FastifyInstance,
  { authenticate }: { readonly authenticate: Authenticate },
): Promise<void> {
  scope.setErrorHandler(sendScimError);
  scope.addHook('onRequest', recognisePrincipal(authenticate));
  // Before a body is read that nobody will look at.
  scope.addHook('onRequest', async ({ url }) => {
    const [, version] = /^\/+api\/+scim\/+(v\d[^/?]*)/i.exec(url) ?? [];
    if (version === undefined) throw new ScimError(404, undefined, `SCIM is at ${SCIM_PREFIX}`);
    const detail = `SCIM ${version.slice(0, 20)} is not spoken here: use v2, ${SCIM_PREFIX}`;
    throw badRequest('invalidVers', detail);
  });
  scope.setNotFoundHandler(() => undefined);
}
