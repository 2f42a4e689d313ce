import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import type { Tables } from '../db/tables.ts';
import { runIn, sendBy, transaction } from '../db/transaction.ts';
import { dropOpenConflicts, unlinkAll } from '../directory/unlink.ts';
import { notFound } from '../errors.ts';
import { type Occasion, record } from '../events/record.ts';
import { NO_CHANGES, type Plan } from '../reconcile/plan.ts';
import { judge } from '../reconcile/policy.ts';
import { setSyncMode } from '../reconcile/sign-in.ts';
import {
  countOnlyBy,
  type IdentityProvider,
  identityProviderByName,
  identityProviderOf,
  letsIn,
  subjectsOf,
  updateIdentityProviderRow,
} from '../tenants/identity-providers.ts';
import { bindDomains, domainsToBind } from '../tenants/provider-domains.ts';
import { changedSettings, type ProviderInput } from '../tenants/provider-settings.ts';
import { requireMatchDirectory } from './match-directory.ts';
import { readDefaultTeam } from './named-grants.ts';
import { type Review, reviewed } from './reviewed.ts';

export interface UpdateIdentityProvider {
  readonly tenantId: string;
  readonly name: string;
  readonly change: ProviderInput;
  /** What becomes of its links when subjects are somebody else's from now on: they end, or name the same people. */
  readonly links: 'end' | 'keep';
  readonly review: Review;
}

/** What follows for those who sign in by it. */
interface Consequences {
  /** How many active users can sign in by no other provider, and could by this one. */
  readonly shutOut: number;
  /** How many links ended. */
  readonly unlinked: number;
}

export interface UpdatedIdentityProvider extends Consequences {
  readonly provider: IdentityProvider;
  /** What follows for what users hold, now or at their next sign-in. */
  readonly plan: Plan;
}

/**
 * Changes what is named; where nothing differs, nothing is written. A change of `jit` or `enabled` is reviewed like a
 * mapping: who is synced from now on may lose something, and who signs in by this provider alone is kept out. So is one
 * that leaves nothing to verify by; and where subjects name other people, their links end, or an admin says that they
 * are the same.
 * @throws AppError `invalid_request` at the JSON pointer; `conflict` (`domain_bound`); see `reviewed`.
 */
export async function updateIdentityProvider(
  context: Context,
  actor: Actor,
  request: UpdateIdentityProvider,
): Promise<UpdatedIdentityProvider> {
  const { tenantId, change, review } = request;
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  if (!review.dryRun && change.jit === undefined && change.enabled === undefined) {
    return transaction(context.db, tenantId, async (trx) => {
      await runIn(trx, lockTenantExclusive(tenantId));
      const { before, after } = await write({ context, trx, occasion }, request);
      const follows = await consequences({ trx, occasion }, { before, after }, request.links);
      judge(NO_CHANGES, { confirm: review.confirm, managed: 0, ownersLost: 0, ...follows });
      return { provider: after, plan: NO_CHANGES, ...follows };
    });
  }
  const { result, plan, shutOut, unlinked } = await reviewed(
    context,
    actor,
    request,
    async ({ trx, send, occasion }) => {
      const { before, after } = await write({ context, trx, occasion }, request);
      const { name, jit } = after;
      if (jit !== before.jit) {
        await send([setSyncMode(tenantId, name, jit === 'enhanced' ? 'enhanced' : 'standard')]);
      }
      const follows = await consequences({ trx, occasion }, { before, after }, request.links);
      return { result: after, ...follows };
    },
  );
  return { provider: result, plan, shutOut, unlinked };
}

/** Ends what has no meaning any more, and counts whom that and the rest keeps out. */
async function consequences(
  { trx, occasion }: Omit<Writing, 'context'>,
  { before, after }: Written,
  links: UpdateIdentityProvider['links'],
): Promise<Consequences> {
  const { tenantId, at, actor, changeId } = occasion;
  const { id } = after;
  const send = sendBy(trx);
  const [[only]] = letsIn(before) && !letsIn(after) ? await send([countOnlyBy(tenantId, id)]) : [[]];
  const shutOut = only?.users ?? 0;
  if (links === 'keep' || isDeepStrictEqual(subjectsOf(before), subjectsOf(after)))
    return { shutOut, unlinked: 0 };
  const stamp = { at, actor: actorJson(actor), changeId, requestId: actor.requestId };
  const [[gone]] = await send([unlinkAll(tenantId, after, stamp), dropOpenConflicts(tenantId, id)]);
  return { shutOut, unlinked: gone?.unlinked ?? 0 };
}

interface Written {
  readonly before: IdentityProvider;
  readonly after: IdentityProvider;
}

interface Writing {
  readonly context: Context;
  readonly trx: Transaction<Tables>;
  readonly occasion: Occasion;
}

async function write(
  { context, trx, occasion }: Writing,
  { tenantId, name, change }: UpdateIdentityProvider,
): Promise<Written> {
  const [row] = await runIn(trx, identityProviderByName(tenantId, name));
  if (row === undefined) throw notFound('Identity provider');
  const before = identityProviderOf(row);
  const changed = await changedProvider({ context, trx, occasion }, before, change);
  if (isDeepStrictEqual(before, changed)) return { before, after: before };
  const after = { ...changed, version: before.version + 1, updatedAt: occasion.at };
  await sendBy(trx)([
    updateIdentityProviderRow(tenantId, after),
    bindDomains(tenantId, after.id, after.domains),
  ]);
  await record(trx, occasion, [
    {
      type: 'identity_provider.updated',
      resourceType: 'IdentityProvider',
      resourceId: after.id,
      before,
      after,
    },
  ]);
  return { before, after };
}

async function changedProvider(
  { context: { outbound }, trx, occasion: { tenantId } }: Writing,
  before: IdentityProvider,
  change: ProviderInput,
): Promise<IdentityProvider> {
  const { displayName, jit, enabled, defaultTeam, domains, ...settings } = change;
  const { name: provider, kind } = before;
  await requireMatchDirectory(trx, tenantId, settings);
  return {
    ...before,
    ...changedSettings(before, settings, { kind, outbound }),
    ...(displayName !== undefined && { displayName }),
    ...(jit !== undefined && { jit }),
    ...(enabled !== undefined && { enabled }),
    ...(defaultTeam !== undefined && {
      defaultTeam: defaultTeam && (await readDefaultTeam(trx, tenantId, defaultTeam)),
    }),
    ...(domains !== undefined && {
      domains: await domainsToBind(trx, tenantId, { provider, names: domains }),
    }),
  };
}
