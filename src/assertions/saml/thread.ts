import { parentPort } from 'node:worker_threads';
import { AssertionError, type AssertionReason, type Check, type VerifiedAssertion } from '../types.ts';
import type { SamlKeys } from './signed-assertion.ts';
import { type SamlOptions, verifySaml } from './verify.ts';

/** The module of a verification thread: what `pool.ts` sends, and what it gets. */

export interface Verification {
  readonly provider: SamlKeys;
  readonly samlResponse: string;
  readonly options: SamlOptions;
}

/** Errors lose their class and their fields on the way between threads, so they travel as plain values. */
export type Outcome =
  | { readonly verified: VerifiedAssertion }
  | {
      readonly refused: {
        readonly reason: AssertionReason;
        readonly message: string;
        readonly checks: readonly Check[];
      };
    }
  | { readonly failed: string };

parentPort?.on('message', async (verification: Verification) => {
  parentPort?.postMessage(await outcomeOf(verification));
});

async function outcomeOf({ provider, samlResponse, options }: Verification): Promise<Outcome> {
  try {
    return { verified: await verifySaml(provider, samlResponse, options) };
  } catch (error) {
    if (!(error instanceof AssertionError)) return { failed: (error as Error).stack ?? String(error) };
    const { reason, message, checks } = error;
    return { refused: { reason, message, checks } };
  }
}
