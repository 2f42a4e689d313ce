import type { Logger } from 'pino';
import { AssertionError, type VerifiedAssertion } from '../types.ts';
import type { SamlKeys } from './signed-assertion.ts';
import type { Outcome, Verification } from './thread.ts';
import { openThreads } from './threads.ts';
import type { SamlOptions } from './verify.ts';

/** Verifies SAML off the event loop, so that a burst of sign-ins delays no other request. */
export interface SamlVerifier {
  /** As `verifySaml`; AppError `unavailable` (503) when more sign-ins arrive than are verified. */
  verify(provider: SamlKeys, samlResponse: string, options: SamlOptions): Promise<VerifiedAssertion>;
  close(): Promise<void>;
}

/** One verification takes 10 to 16 ms, so two verify more than 100 a second; more threads would take the processors from everything else. */
const THREADS = 2;
/** Milliseconds. A hostile document within the limits takes less than a second; the first task starts its thread. */
const PATIENCE = 10_000;
/** As many as two threads verify in the time for which a gateway waits. */
const WAITING = 500;

/** Opens the verifier. Threads start with the first sign-ins; `close` ends them. */
export function openSamlVerifier({ log }: { readonly log: Logger }): SamlVerifier {
  const module = new URL('./thread.js', import.meta.url);
  const limits = { threads: THREADS, patience: PATIENCE, waiting: WAITING };
  const threads = openThreads<Verification, Outcome>(module, { log, ...limits });
  return {
    async verify(provider, samlResponse, options) {
      const outcome = await threads.run({ provider, samlResponse, options });
      if ('verified' in outcome) return outcome.verified;
      if ('failed' in outcome) throw new Error(`SAML verification failed: ${outcome.failed}`);
      const { reason, message, checks } = outcome.refused;
      throw new AssertionError(reason, message, checks);
    },
    close: threads.close,
  };
}
