import { pino } from 'pino';
import type { Test } from 'tap';
import { openOutbound } from '../../src/outbound/outbound.ts';
import { openVerifiers } from '../../src/start/verifiers.ts';
import { type Answer, type Ask, type StartOptions, startApp, type TestApp } from './app.ts';
import type { SignedInBody } from './gateway.ts';
import { newSignInWorld } from './sign-in.ts';

/** What tests of whole sign-ins start from: the verifiers of the service, and providers that an admin sets up. */

/** The application with its real verifiers, and whatever time was skipped. */
export async function startSso(t: Test, options: StartOptions = {}) {
  let skipped = 0;
  const now = () => new Date(Date.now() + skipped);
  const { allowLoopback = true } = options;
  const outbound = openOutbound({ allowLoopback });
  const { close, ...verifiers } = openVerifiers({ log: pino({ level: 'silent' }), now, outbound });
  const app = await startApp(t, { ...options, allowLoopback, now, verifiers });
  t.teardown(close);
  return {
    app,
    skip(seconds: number): void {
      skipped += seconds * 1_000;
    },
  };
}

export type SsoWorld = Awaited<ReturnType<typeof newSsoWorld>>;

/** A world of sign-ins whose identity providers come by the admin API. */
export async function newSsoWorld(app: TestApp) {
  const world = await newSignInWorld(app);
  return {
    ...world,
    /** Sets up an identity provider: "corp", enhanced, where nothing else is said. */
    async provider(rest: object): Promise<void> {
      const body = { name: 'corp', jit: 'enhanced', ...rest };
      const { status, text } = await world.ask('POST', '/identity-providers', body);
      if (status !== 201) throw new Error(text);
    },
    /** What a gateway of the tenant posts. */
    assert: (body: unknown, { query = '', ...ask }: Ask & { readonly query?: string } = {}) =>
      app.send<SignedInBody>('POST', `/jit/assert${query}`, { key: world.gatewayKey, body, ...ask }),
  };
}

/** What the groups "Analysts" and "Hunters" give by the provider "corp", as `holds` tells it. */
export const EDITOR = 'Incident Response EDITOR jit:corp';
export const VIEWER = 'Forensics VIEWER jit:corp';

/** Asserts that a sign-in went well, what its answer says of the groups, and which warnings it has. */
export function requireGroups(
  t: Test,
  { status, body }: Answer<SignedInBody>,
  { state, warned }: { readonly state: string; readonly warned: readonly string[] },
): void {
  t.equal(status, 200);
  t.equal(body.identityProviderGroups.state, state);
  t.same(
    body.warnings.map(({ code }) => code),
    warned,
  );
}
