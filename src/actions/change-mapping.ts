import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import { lockTenantExclusive, lockTenantShared } from '../db/locks.ts';
import { runAlone, type Send, sendBy, transaction } from '../db/transaction.ts';
import { hasMoreUsers } from '../directory/count.ts';
import { AppError, notFound } from '../errors.ts';
import { type Occasion, record } from '../events/record.ts';
import { insertJob, jobById } from '../reconcile/jobs.ts';
import {
  asWritten,
  currentMapping,
  knownNames,
  type MappingCause,
  type MappingVersionRow,
  mappingAppliedBy,
  mappingVersion,
  namesForMapping,
  storeMapping,
} from '../reconcile/mapping.ts';
import { type MappingDocument, readMappingDocument, sameDocument } from '../reconcile/mapping-document.ts';
import { type FactsRow, factsForMapping } from '../reconcile/mapping-facts.ts';
import { type MappingWarning, mappingWarnings } from '../reconcile/mapping-warnings.ts';
import { NO_CHANGES, type Plan, type PlannedTenant, planOwners, planTenant } from '../reconcile/plan.ts';
import { judge } from '../reconcile/policy.ts';
import { keepUnmapped } from '../reconcile/unmapped.ts';
import { createMissingTeams } from './create-missing-teams.ts';
import { lookAtTenant } from './look-at-tenant.ts';
import { rehearsed } from './rehearsal.ts';
import { type Review, reconciled } from './reviewed.ts';

export interface ChangeMapping extends Review {
  readonly tenantId: string;
  /** The document as it was sent, or the version to return to. */
  readonly to: { readonly document: unknown } | { readonly version: number };
  /** Whether teams that the document names and that do not exist are made. */
  readonly createTeams?: boolean | undefined;
  /** The version that the document was made from; 0: none. */
  readonly ifVersion?: number | undefined;
}

export interface ChangedMapping {
  /** Of a dry run: the one that the document would become. */
  readonly version: number;
  readonly plan: Plan;
  readonly warnings: readonly MappingWarning[];
  /** The job that applies what is too much for one transaction. */
  readonly job?: string;
}

/** So many grants at most are written by the transaction that changes the mapping; more are left to a job. */
const MOST_AT_ONCE = 20_000;

/** Tenants of more users are planned before the change waits for their writers, and for these only once more. */
const MANY_USERS = 10_000;

/**
 * Replaces the group mapping as a whole, and everything that follows from it. A dry run is the same transaction, rolled
 * back; it keeps no writer out, because a plan is one statement, and sees one moment.
 * @throws AppError `invalid_mapping`; `precondition_failed` for another `ifVersion`; see `judge` for the rest.
 */
export async function changeMapping(
  context: Context,
  actor: Actor,
  request: ChangeMapping,
): Promise<ChangedMapping> {
  const attempt = { context, actor, request };
  await lookAtTenant(context, request.tenantId);
  if (request.dryRun) return (await change(attempt, 'rehearsal')).changed;
  if (await runAlone(context.db, hasMoreUsers(request.tenantId, MANY_USERS)).then(([row]) => row?.answer)) {
    const rehearsal = await change(attempt, 'rehearsal');
    if (rehearsal.grants > MOST_AT_ONCE) return (await change(attempt, rehearsal)).changed;
  }
  return (await change(attempt, 'whole')).changed;
}

interface Attempt {
  readonly context: Context;
  readonly actor: Actor;
  readonly request: ChangeMapping;
}

interface Changed extends Omit<PlannedTenant, 'plan'> {
  readonly changed: ChangedMapping;
}

/** Up to the plan and back; all of it; or, with what a rehearsal planned, all but what is left to a job. */
type Mode = 'rehearsal' | 'whole' | Changed;

function change({ context, actor, request }: Attempt, mode: Mode): Promise<Changed> {
  const { tenantId } = request;
  const occasion = { tenantId, actor, at: context.now(), changeId: uuid() };
  const lock = mode === 'rehearsal' ? lockTenantShared : lockTenantExclusive;
  return rehearsed(mode === 'rehearsal', (end) =>
    transaction(context.db, tenantId, async (trx) => {
      const send = sendBy(trx);
      await send([lock(tenantId)]);
      const wanted = await readWanted(send, request);
      const { before, document, cause, roles } = wanted;
      const created = request.createTeams ? await createMissingTeams(send, occasion, document) : [];
      const [[facts]] = await send([factsForMapping(tenantId, document)]);
      const warnings = warningsBy(facts, document, roles);
      if (before && !before.given_up && created.length === 0 && sameDocument(before.document, document)) {
        const job = before.job_id !== null && { job: before.job_id };
        const changed = { version: before.version, plan: NO_CHANGES, warnings, ...job };
        const measures = { grants: 0, managed: 0, ownersLost: 0 };
        if (!request.dryRun) judge(NO_CHANGES, { ...request, ...measures });
        return end({ changed, ...measures });
      }
      const version = (before?.version ?? 0) + 1;
      await store(send, occasion, { version, document, cause, roles });
      const { plan, ...measures } = await planned(send, tenantId, version, mode);
      const { grants } = measures;
      if (mode === 'rehearsal') return end({ changed: { version, plan, warnings }, ...measures });
      judge(plan, { ...request, ...measures });
      await send([reconciled(occasion, grants)]);
      const job = grants > MOST_AT_ONCE ? await applyLater(send, occasion, version) : undefined;
      const after = { version, cause, document };
      const stored = {
        type: 'group_mapping.updated',
        resourceType: 'GroupMapping',
        resourceId: tenantId,
        after,
      };
      await record(trx, occasion, [...created, { ...stored, before: before && { version: before.version } }]);
      const changed = { version, plan, warnings, ...(job !== undefined && { job }) };
      return end({ changed, ...measures });
    }),
  );
}

/** The plan of everything; of a change that was rehearsed at this version what it planned, and who owns the tenant. */
async function planned(send: Send, tenantId: string, version: number, mode: Mode): Promise<PlannedTenant> {
  if (typeof mode === 'string' || mode.changed.version !== version) {
    return planTenant(send, tenantId, MOST_AT_ONCE);
  }
  const { changed, ...measures } = mode;
  await send([planOwners(tenantId)]);
  return { plan: changed.plan, ...measures };
}

type Before = MappingVersionRow & {
  /** Whether the job has ended that was to apply it, and has not: then the same document is no repetition. */
  readonly given_up: boolean;
};

interface Wanted {
  readonly before: Before | undefined;
  readonly document: MappingDocument;
  readonly cause: MappingCause;
  readonly roles: ReturnType<typeof knownNames>['roles'];
}

async function readWanted(send: Send, { tenantId, to, ifVersion }: ChangeMapping): Promise<Wanted> {
  const [[current], [names]] = await send([currentMapping(tenantId), namesForMapping(tenantId)]);
  const version = current?.version ?? 0;
  if (ifVersion !== undefined && ifVersion !== version) {
    throw new AppError('precondition_failed', `The mapping is at version ${version}, not at ${ifVersion}`, {
      hint: 'Read it again, and make the change to what it says now.',
    });
  }
  const { known, roles } = knownNames(names);
  const before = current && { ...asWritten(current), given_up: await isGivenUp(send, tenantId, current) };
  if ('document' in to) {
    return { before, roles, document: readMappingDocument(to.document, known), cause: { kind: 'put' } };
  }
  const [[old]] = await send([mappingVersion(tenantId, to.version)]);
  if (old === undefined) throw notFound('Mapping version');
  // Read anew: what it names may be gone since.
  const document = readMappingDocument(asWritten(old).document, known);
  return { before, roles, document, cause: { kind: 'revert', version: to.version } };
}

async function isGivenUp(
  send: Send,
  tenantId: string,
  { job_id }: Pick<MappingVersionRow, 'job_id'>,
): Promise<boolean> {
  if (job_id === null) return false;
  const [[job]] = await send([jobById(tenantId, job_id)]);
  return job === undefined || job.ended_at !== null;
}

/** What the author of a document that is stored may not have meant, as the tenant is now. */
export async function warningsOf(
  { db }: Context,
  tenantId: string,
  document: MappingDocument,
): Promise<MappingWarning[]> {
  const [[names], [facts]] = await Promise.all([
    runAlone(db, namesForMapping(tenantId)),
    runAlone(db, factsForMapping(tenantId, document)),
  ]);
  return warningsBy(facts, document, knownNames(names).roles);
}

function warningsBy(facts: FactsRow | undefined, document: MappingDocument, roles: Wanted['roles']) {
  const { teams = [], groups = [], owner_groups = [] } = facts ?? {};
  return mappingWarnings(document, { roles, teams, groups, ownerGroupsWithMembers: new Set(owner_groups) });
}

type Version = Omit<Wanted, 'before'> & { readonly version: number };

/** Makes it the version that holds, and keeps whom it lets stay. */
async function store(
  send: Send,
  { tenantId, actor, at, changeId }: Occasion,
  { roles, ...version }: Version,
): Promise<void> {
  const author = actorJson(actor);
  const told = { changeId, requestId: actor.requestId };
  await send([storeMapping(tenantId, { ...version, author, at }, roles)]);
  if (version.document.on_unmap === 'keep') await send([keepUnmapped(tenantId, { at, actor: author }, told)]);
}

async function applyLater(send: Send, { tenantId, actor, at }: Occasion, version: number): Promise<string> {
  const id = uuid();
  const origin = { actor: actorJson(actor), requestId: actor.requestId, at };
  await send([
    insertJob(tenantId, { id, kind: 'mapping', request: { version }, ...origin }),
    mappingAppliedBy(tenantId, id),
  ]);
  return id;
}
