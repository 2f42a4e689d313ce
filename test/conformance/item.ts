/** A requirement on a SCIM service provider, as `docs/conformance.md` lists it. */
export interface Item {
  readonly number: number;
  /** The keyword of RFC 2119 as printed, `REQUIRED` or `OPTIONAL` of an attribute, or `stmt`: a plain sentence. */
  readonly level: string;
  /** `RFC 7644 section 3.3`. */
  readonly source: string;
  /** What is asked, in our words. */
  readonly asks: string;
  /**
   * Without it the item is met, by the tests that name its number (`meets`). `notApplicable` says why no test can
   * show it; `strictOnly` which client needs the deviation from it that `strictScim` ends, and a test shows that.
   */
  readonly verdict?: { readonly notApplicable: string } | { readonly strictOnly: string };
}
