import { v7 as uuid } from 'uuid';
import type { Check, Facts, VerifiedAssertion } from '../assertions/types.ts';
import { type Actor, actorJson, type Context } from '../context.ts';
import type { Stamp, Told } from '../db/event-row.ts';
import { type Consumption, consumedBefore } from '../directory/consumed-assertions.ts';
import { sameGroups } from '../directory/identity-links.ts';
import type { Profile } from '../directory/profiles.ts';
import { obstaclesOf, peopleOf, type Subject } from '../directory/sign-in-people.ts';
import type { Found, SignInRules } from '../directory/who-signs-in.ts';
import { AppError, notFound } from '../errors.ts';
import { groupAttributeOfMapping, type Synced } from '../reconcile/sign-in.ts';
import type { ProfileChange } from '../scim/profile.ts';
import { type IdentityProvider, signsInAnybody } from '../tenants/identity-providers.ts';
import { type OtherWays, readOtherWays } from '../tenants/other-ways.ts';
import { readRules, rulesOf, type TenantRules } from '../tenants/sign-in-rules.ts';
import { type Doors, doorsOf, opened } from './other-ways.ts';

/** What is read of a sign-in, and what follows from it without SQL. */

/** Somebody signs in, by an assertion that holds. */
export interface SignInRequest {
  readonly tenantId: string;
  readonly provider: IdentityProvider;
  readonly assertion: Pick<VerifiedAssertion, 'id' | 'expiresAt' | 'checks'>;
  readonly facts: Facts;
  /** The mapping's own name of the group attribute, by which the facts were read; null: it has none. */
  readonly groupAttributeOfDocument: string | null;
  /** SHA-256 of what a retry of the gateway has in common with this request, in hex; null: none is announced. */
  readonly retryHash: string | null;
  /** Whether it is only tried: decided like any other, and nothing is written. */
  readonly dryRun: boolean;
}

/** A request, once it is carried out: when, by whom, and what its statements are told. */
export interface Occasion extends SignInRequest {
  readonly subject: Subject;
  readonly consumption: Consumption;
  readonly actor: Actor;
  readonly now: Stamp;
  readonly told: Told;
}

export function occasionOf(context: Context, actor: Actor, request: SignInRequest): Occasion {
  const { tenantId, provider, assertion, facts, retryHash } = request;
  const place = { tenantId, identityProviderId: provider.id };
  return {
    ...request,
    subject: { ...place, facts },
    consumption: { ...place, assertionId: assertion.id, expiresAt: assertion.expiresAt, retryHash },
    actor,
    now: { at: context.now(), actor: actorJson(actor) },
    told: { changeId: uuid(), requestId: actor.requestId },
  };
}

/**
 * What a sign-in is decided on, to be read: what tenant and identity provider say, what the mapping calls the groups, what
 * else the person may get something by (`doorsIn`), whom they may be, what stands against them, and whether the
 * assertion was used. One list for the first look and for the one behind the locks.
 */
export function decidedOn({ tenantId, provider, subject, consumption, facts, now }: Occasion) {
  return [
    readRules(tenantId, provider.id),
    groupAttributeOfMapping(tenantId),
    readOtherWays(tenantId, { email: facts.email, identityProviderId: provider.id }, now.at),
    peopleOf(subject),
    obstaclesOf(subject),
    consumedBefore(consumption, now.at),
  ] as const;
}

/**
 * The rules that were read. @throws AppError `not_found`: the identity provider is gone; ReadAnew: it, or the mapping's
 * name of the group attribute, has been changed since the assertion was read by it.
 */
export function requireRules(
  { provider, groupAttributeOfDocument }: Occasion,
  [row]: Awaited<RulesRows>,
  [mapped]: readonly { readonly documentGroupAttribute: string | null }[],
): TenantRules {
  if (row === undefined) throw notFound('Identity provider');
  const isAsRead = (mapped?.documentGroupAttribute ?? null) === groupAttributeOfDocument;
  if (row.providerVersion === provider.version && isAsRead) return rulesOf(row);
  throw new ReadAnew();
}

/** The assertion was read by what does not hold any more. Nothing was written, and it is not used up. */
export class ReadAnew extends AppError {
  constructor() {
    super('unavailable', 'The identity provider is being changed again and again', {
      reason: 'identity_provider_changed',
      hint: 'Nothing was written, and the assertion is not used up. Repeat the request after the seconds in Retry-After.',
    });
  }
}

type RulesRows = Promise<Parameters<typeof rulesOf>[0][]>;

/** By what `whoSignsIn` decides. */
export function signInRules({ provider }: Occasion, { settings }: TenantRules, doors: Doors): SignInRules {
  const { jit, matchManaged, matchDirectory } = provider;
  const { domainVerified, waiting } = doors;
  return {
    ...settings,
    ...{ jit, matchManaged, matchDirectory, domainVerified },
    ...opened(doors, settings.provisioning),
    unverifiedWaits: waiting.invitation || waiting.domain,
    anybody: signsInAnybody(provider),
  };
}

/** What else the person may get something by, as far as it counts for this person. */
export function doorsIn({ facts }: Occasion, [ways]: readonly OtherWays[]): Doors {
  return doorsOf(ways ?? { invitation: null, domain: null, defaultTeam: null }, facts);
}

/** A decision's people, as two statements read them. */
export function foundOf(people: Found['people'], [obstacles]: readonly Omit<Found, 'people'>[]): Found {
  return { people, ...(obstacles ?? { deletedIdentity: null, deletedName: null, rejected: false }) };
}

/** What the identity provider says of a profile: what it does not say stays as it is. */
export function profileSaid({ givenName, familyName, displayName, avatar }: Facts): ProfileChange {
  return {
    ...(givenName !== null && { givenName }),
    ...(familyName !== null && { familyName }),
    ...(displayName !== null && { displayName }),
    ...(avatar !== null && { avatar }),
  };
}

/** Whether this sign-in may write the profile: of nobody whom a directory manages, and only where the provider wants it. */
export function writesProfile({ provider }: Occasion, { managed }: { readonly managed: boolean }): boolean {
  return provider.profileSync === 'always' && !managed;
}

/** Whether this sign-in says of the user's groups what they are given by. */
export function syncs({ provider }: Occasion, { managed }: { readonly managed: boolean }): boolean {
  return provider.jit !== 'off' && !managed;
}

/** The groups that count; null: they are unknown, and take nothing away. */
export function knownGroups({ groups: { state, groups } }: Facts): readonly string[] | null {
  return state === 'list' || state === 'empty' ? groups : null;
}

/** Whether a sync would find everything as it is. */
export function isSynced({ provider, facts }: Occasion, synced: Synced | undefined): boolean {
  if (synced === undefined || synced.mode !== provider.jit) return false;
  if (synced.mode === 'standard' || knownGroups(facts) === null) return true;
  return synced.current && sameGroups(synced.groups, facts);
}

/** Whether the profile says already what the identity provider says. */
export function hasProfile({ facts }: Occasion, profile: Profile): boolean {
  const said = profileSaid(facts);
  const names = ['givenName', 'familyName', 'displayName', 'avatar'] as const;
  return names.every((name) => said[name] === undefined || said[name] === profile[name]);
}

/** What was checked of the assertion, and what was decided. */
export function traceOf({ assertion }: Occasion, steps: readonly Check[]): Check[] {
  return [...assertion.checks, ...steps];
}
