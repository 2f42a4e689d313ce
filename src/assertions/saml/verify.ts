import { openTrace } from '../trace.ts';
import type { VerifiedAssertion } from '../types.ts';
import { hasGroupOverage, readAttributes } from './attributes.ts';
import { expiryOf, nameIdOf, RULES, type SignedResponse } from './checks.ts';
import { gateResponse } from './gate.ts';
import { isSigned } from './signature-form.ts';
import { type SamlKeys, signedAssertion } from './signed-assertion.ts';
import { readXml } from './xml.ts';

export interface SamlOptions {
  readonly now: Date;
  /** The ID of the AuthnRequest that the response must answer; absent: any, or none. */
  readonly requestId?: string;
}

/**
 * Verifies a SAMLResponse (base64, as the browser posted it): gate, signatures, rules, attributes. Throws an
 * AssertionError with the first reason against it. Takes 10 to 16 ms of processor time: `pool.ts` runs it in threads.
 */
export async function verifySaml(
  provider: SamlKeys,
  samlResponse: string,
  options: SamlOptions,
): Promise<VerifiedAssertion> {
  const trace = openTrace();
  const gated = await trace.run('document', () => gateResponse(samlResponse));
  // From here on the assertion is what was signed, and never again what was posted.
  const assertion = await trace.run('signature', async () => readXml(await signedAssertion(provider, gated)));
  const { response, encrypted } = gated;
  const responseSigned = isSigned(response);
  const signed: SignedResponse = { provider, response, responseSigned, encrypted, assertion, ...options };
  for (const [check, rule] of RULES) await trace.run(check, () => rule(signed));
  const attributes = await trace.run('attributes', () => readAttributes(assertion));
  return {
    id: assertion.attributes.get('ID') ?? '',
    expiresAt: expiryOf(signed),
    subject: nameIdOf(assertion) ?? '',
    attributes,
    groupOverage: hasGroupOverage(attributes),
    checks: trace.checks,
  };
}
