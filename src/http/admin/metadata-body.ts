import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SAML_METADATA } from '../../assertions/saml/sp-metadata.ts';
import { AppError } from '../../errors.ts';

/** Media types under which metadata is sent: its own, and those that browsers and `curl` know files by. */
export const METADATA_TYPES = [SAML_METADATA, 'application/xml', 'text/xml'] as const;

/** To be called in a scope of its own: it then reads XML, as UTF-8 text, beside JSON. */
export function readMetadataBodies(scope: FastifyInstance): void {
  const parse = async (_request: FastifyRequest, bytes: Buffer): Promise<string> => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new AppError('invalid_request', 'The metadata is not UTF-8', { reason: 'malformed' });
    }
  };
  scope.addContentTypeParser([...METADATA_TYPES], { parseAs: 'buffer' }, parse as never);
}
