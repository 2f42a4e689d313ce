import type { Attributes } from './attributes.ts';

/** What ID tokens say of the address in the claim `email`. */

/** OpenID Connect Core section 5.1 (some send it as a text); Microsoft Learn, "Optional claims reference": `xms_edov`. */
export function saysVerified(attributes: Attributes): boolean {
  const says = (claim: string, yes: readonly string[]) => {
    const values = attributes.get(claim) ?? [];
    return values.length === 1 && yes.includes(values[0]?.toLowerCase() ?? '');
  };
  return says('email_verified', ['true']) || says('xms_edov', ['true', '1']);
}

/** Whether they say that it is not verified; saying nothing is neither. */
export function saysUnverified(attributes: Attributes): boolean {
  const isTold = attributes.has('email_verified') || attributes.has('xms_edov');
  return isTold && !saysVerified(attributes);
}
