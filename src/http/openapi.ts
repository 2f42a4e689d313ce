import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifySwaggerUiOptions } from '@fastify/swagger-ui';
import type { Context } from '../context.ts';

/** OpenAPI 3.1 of all surfaces, made from the routes; `openapi/rollcall.json` is its committed copy. */
export function openApi({ publicUrl }: Pick<Context, 'publicUrl'>): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rollcall',
        version: '1',
        description: 'SCIM 2.0 and just-in-time provisioning',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: publicUrl }],
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    refResolver: { buildLocalReference: (json) => String(json.$id) },
  };
}

/** The page at `/docs`: everything from here, nothing from elsewhere, not even the validator's badge. */
export const DOCS: FastifySwaggerUiOptions = {
  routePrefix: '/docs',
  uiConfig: { validatorUrl: null },
  staticCSP: {
    'default-src': "'self'",
    'img-src': "'self' data:",
    // Swagger UI sets style attributes.
    'style-src': "'self' 'unsafe-inline'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'object-src': "'none'",
  },
};
