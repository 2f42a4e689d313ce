import type { FastifyRequest } from 'fastify';
import type { Context, ScimActor } from '../../context.ts';
import { AppError } from '../../errors.ts';
import type { ScimType } from '../../scim/error.ts';
import { typesWith } from '../../scim/resource-types.ts';
import type { Reading } from '../../scim/types.ts';
import type { EndedKey } from '../../tenants/authenticate.ts';
import { SCIM_PREFIX } from './versions.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The tolerances that reading this request took (`scim/quirks.ts`), for the log. */
    tolerances: Set<string> | undefined;
    /** Why the request was refused, for the log and the records of its key. */
    refusal: RequestRefusal | undefined;
  }
}

interface RequestRefusal {
  readonly status: number;
  readonly scimType: ScimType | undefined;
  readonly detail: string;
  readonly hint: string | undefined;
  /** The key, where it was right and does not hold any more. */
  readonly ended: EndedKey | undefined;
}

/** `https://host/api/scim/v2`. */
export function baseUrlOf(context: Context): string {
  return `${context.publicUrl}${SCIM_PREFIX}`;
}

/** The SCIM client behind a request: the tenant and the directory of its key. */
export function scimActor({ principal, id }: FastifyRequest): ScimActor {
  if (principal.kind !== 'api_key' || !principal.directory) {
    throw new AppError('forbidden', 'This credential may not act here: it takes the scope scim');
  }
  const { tenant, directory } = principal;
  return {
    principal,
    requestId: id,
    tenantId: tenant.id,
    directoryId: directory.id,
    settings: tenant.settings,
    types: typesWith(tenant.extensions),
    schemaVersion: tenant.schemaVersion,
  };
}

/** How this client's messages are read; what is tolerated is noted on the request. */
export function readingOf(request: FastifyRequest, { settings }: ScimActor): Reading {
  // A request may be read in two parts (the message of a `/.search`, and the query in it).
  request.tolerances ??= new Set();
  return { strict: settings.strictScim, tolerances: request.tolerances };
}

/** The id in the path: the only id of a request (a body's is ignored). */
export function idOf({ params }: FastifyRequest): string {
  return (params as { id: string }).id;
}
