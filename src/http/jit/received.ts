import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Received } from '../../actions/assert-identity.ts';
import { AppError } from '../../errors.ts';
import { line } from '../shapes.ts';

/** What gateways post: one of three forms. */

const text = (maxLength: number, description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, description }));

/** Larger than the largest document in base64, which is refused by its own limit. */
const MAX_RESPONSE = 400_000;

/** The forms, in one closed object: exactly one of the three is told by `receivedOf`. */
export const receivedMembers = {
  samlResponse: text(MAX_RESPONSE, 'The SAML response in base64, as the browser posted it'),
  idToken: text(100_000, 'The ID token'),
  claims: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description:
        'Claims that the gateway has verified: texts, numbers, booleans, lists of them; at most 200',
    }),
  ),
  requestId: Type.Optional({
    ...line(200),
    description:
      'With claims: unique, each is used once. With samlResponse: the id of the request that it answers (InResponseTo)',
  }),
  nonce: text(1_000, 'With idToken: what the request said'),
};
const ReceivedBody = Type.Object(receivedMembers, { additionalProperties: false });

/** @throws AppError `invalid_request` unless it is exactly one of the forms. */
export function receivedOf(body: Static<typeof ReceivedBody>): Received {
  const { samlResponse, idToken, claims, requestId, nonce } = body;
  if ([samlResponse, idToken, claims].filter((each) => each !== undefined).length !== 1) {
    throw invalid('Exactly one of samlResponse, idToken and claims says who signs in', '');
  }
  if (nonce !== undefined && idToken === undefined) throw invalid('nonce goes with idToken', '/nonce');
  if (requestId !== undefined && idToken !== undefined)
    throw invalid('requestId goes with samlResponse or claims', '/requestId');
  if (samlResponse !== undefined) {
    return { kind: 'saml', response: samlResponse, ...(requestId !== undefined && { requestId }) };
  }
  if (idToken !== undefined) return { kind: 'oidc', token: idToken, ...(nonce !== undefined && { nonce }) };
  if (claims === undefined || requestId === undefined) {
    throw invalid('/requestId is missing: claims are used once by it', '/requestId');
  }
  return { kind: 'claims', requestId, claims };
}

/** A browser's form has two: SAMLResponse and RelayState. */
const MAX_FIELDS = 20;

/** Lets a scope read the form that a browser posts (SAML bindings section 3.5), relayed as it is. */
export function readForms(scope: FastifyInstance): void {
  scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (async (
    _: unknown,
    body: string,
  ) => {
    const fields = new URLSearchParams(body);
    const [samlResponse, ...others] = fields.getAll('SAMLResponse');
    if (samlResponse === undefined || others.length > 0 || fields.size > MAX_FIELDS) {
      throw invalid('The form must have SAMLResponse, once, and little else', 'SAMLResponse');
    }
    return { samlResponse };
  }) as never);
}

export function invalid(message: string, pointer: string): AppError {
  return new AppError('invalid_request', message, { pointer });
}
