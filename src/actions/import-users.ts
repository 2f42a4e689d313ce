import { setImmediate as othersAreServed } from 'node:timers/promises';
import type { Transaction } from 'kysely';
import { v7 as uuid } from 'uuid';
import { type Actor, actorJson, type Context } from '../context.ts';
import type { Stamp, Told } from '../db/event-row.ts';
import { lockTenantExclusive } from '../db/locks.ts';
import { noteUsers } from '../db/noted.ts';
import type { Tables } from '../db/tables.ts';
import { runAlone, runIn, sendBy, transaction } from '../db/transaction.ts';
import { holdersOf, insertImported, knownUsers, updateImported } from '../directory/import.ts';
import { notFound } from '../errors.ts';
import { heldByHand, syncedBySignIn } from '../reconcile/held-by-hand.ts';
import { permissionsNamed } from '../reconcile/permissions.ts';
import { reconcileLocked } from '../reconcile/reconcile.ts';
import { foldText } from '../scim/fold.ts';
import { holdTenant } from '../tenants/tenants.ts';
import {
  type ImportEntry,
  type ImportFacts,
  type LineError,
  type PlannedLine,
  planLine,
} from './import-plan.ts';
import { grantableIn } from './named-grants.ts';
import { rehearsed } from './rehearsal.ts';
import { typesOf } from './users-by-hand.ts';

/** So many lines are one transaction, which holds the tenant: a fraction of a second. */
const CHUNK = 500;

/** A line as it was read: of the right form, or why not. */
export type ImportLine =
  | { readonly line: number; readonly entry: ImportEntry }
  | { readonly line: number; readonly errors: readonly LineError[] };

export interface ImportedLine {
  /** Counted from 1, as editors do. */
  readonly line: number;
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'refused';
  readonly userId?: string;
  readonly errors?: readonly LineError[];
}

export interface ImportUsers {
  readonly tenantId: string;
  readonly lines: readonly ImportLine[];
  /** Does everything and takes it back; ids of the created are left out. */
  readonly dryRun: boolean;
}

/**
 * Creates users whom no directory manages, or changes those of the same `userName`; what lines give of teams, ownership
 * and permissions is given by hand. Lines that do not hold are refused one by one. What holds of 500 lines is written
 * together or not at all; doing it all again changes nothing.
 */
export async function importUsers(
  context: Context,
  actor: Actor,
  { tenantId, lines, dryRun }: ImportUsers,
): Promise<ImportedLine[]> {
  const told = { changeId: uuid(), requestId: actor.requestId, actor: actorJson(actor) };
  const apart = withoutRepeats(lines);
  const claimed = apart.flatMap((each) => ('entry' in each ? (each.entry.productUserId ?? []) : []));
  const holders = await runAlone(context.db, holdersOf(tenantId, claimed));
  const heldBefore = new Map(holders.map(({ productUserId, userId }) => [productUserId, userId]));
  const imported: ImportedLine[] = [];
  for (let at = 0; at < apart.length; at += CHUNK) {
    const chunk = apart.slice(at, at + CHUNK);
    const now = { ...told, at: context.now() };
    imported.push(...(await importChunk(context, now, { tenantId, lines: chunk, dryRun, heldBefore })));
    await othersAreServed();
  }
  return imported;
}

/** Refuses the second of two lines that are about one user, or claim one id of the product. */
function withoutRepeats(lines: readonly ImportLine[]): ImportLine[] {
  const seen = new Map<string, number>();
  return lines.map((each) => {
    if ('errors' in each) return each;
    const { line, entry } = each;
    const keys = [
      ['/userName', `userName:${foldText(entry.userName)}`],
      ...(entry.productUserId == null ? [] : [['/productUserId', `productUserId:${entry.productUserId}`]]),
    ] as [pointer: string, key: string][];
    const errors = keys.flatMap(([pointer, key]) =>
      seen.has(key) ? [{ pointer, detail: `line ${seen.get(key)} has the same` }] : [],
    );
    for (const [, key] of keys) if (!seen.has(key)) seen.set(key, line);
    return errors.length > 0 ? { line, errors } : each;
  });
}

interface Chunk extends ImportUsers {
  /** Who had the product ids of the whole import when it began: a line frees none for another, also in a dry run. */
  readonly heldBefore: ReadonlyMap<string, string>;
}

function importChunk(
  { db }: Context,
  now: Stamp & Told,
  { tenantId, lines, dryRun, heldBefore }: Chunk,
): Promise<ImportedLine[]> {
  return rehearsed<ImportedLine[]>(dryRun, (end) =>
    transaction(db, tenantId, async (trx) => {
      await runIn(trx, lockTenantExclusive(tenantId));
      const entries = lines.flatMap((line) => ('entry' in line ? [line.entry] : []));
      const facts = await factsOf(trx, tenantId, { entries, heldBefore });
      const planned = lines.map((each) => ('entry' in each ? planLine(each.entry, facts) : each.errors));
      await write(trx, { tenantId, now }, planned.filter(isPlanned));
      return end(planned.map((each, at) => outcomeOf(each, { line: lines[at]?.line ?? 0, dryRun })));
    }),
  );
}

const isPlanned = (each: PlannedLine | readonly LineError[]): each is PlannedLine => 'userId' in each;

/** What is there of what the lines name. */
async function factsOf(
  trx: Transaction<Tables>,
  tenantId: string,
  { entries, heldBefore }: Pick<Chunk, 'heldBefore'> & { readonly entries: readonly ImportEntry[] },
): Promise<ImportFacts> {
  const tenant = await holdTenant(trx, tenantId);
  if (tenant === undefined) throw notFound('Tenant');
  const names = entries.map(({ userName }) => foldText(userName));
  const productIds = entries.flatMap(({ productUserId }) => productUserId ?? []);
  const known = await runIn(trx, knownUsers(tenantId, { names, productIds }));
  const ids = known.map(({ id }) => id);
  const held = await runIn(trx, heldByHand(tenantId, ids));
  const synced = await runIn(trx, syncedBySignIn(tenantId, ids));
  const rights = entries.flatMap(({ permissions = [] }) => permissions.map((name) => name.toUpperCase()));
  const permissions = await runIn(trx, permissionsNamed(tenantId, rights));
  return {
    tenant,
    types: await typesOf(trx, tenantId),
    byName: new Map(known.map((user) => [user.userNameFolded, user])),
    byProductId: new Map([
      ...heldBefore,
      ...known.flatMap(({ id, productUserId }) =>
        productUserId === null ? [] : [[productUserId, id] as const],
      ),
    ]),
    grantable: await grantableIn(
      trx,
      tenantId,
      entries.flatMap(({ teams = [] }) => teams),
    ),
    permissions: new Map(permissions.map(({ name, id }) => [name, id])),
    held: new Map(held.map(({ userId, targetId, role }) => [`${userId} ${targetId}`, role])),
    synced: new Set(synced.map(({ userId }) => userId)),
  };
}

async function write(
  trx: Transaction<Tables>,
  { tenantId, now }: { readonly tenantId: string; readonly now: Stamp & Told },
  lines: readonly PlannedLine[],
): Promise<void> {
  const inserts = lines.flatMap(({ insert }) => insert ?? []);
  const updates = lines.flatMap(({ update }) => update ?? []);
  const edits = lines.flatMap((line) => line.edits);
  const send = sendBy(trx);
  if (inserts.length > 0) await send([insertImported(tenantId, now, inserts)]);
  if (updates.length > 0) await send([updateImported(tenantId, now, updates)]);
  const turned = updates.filter(({ type }) => type !== 'user.updated').map(({ id }) => id);
  const concerned = [...new Set([...edits.map(({ userId }) => userId), ...turned])];
  if (concerned.length === 0) return;
  await send([noteUsers(concerned), reconcileLocked(tenantId, now, now, { users: concerned.length, edits })]);
}

function outcomeOf(
  planned: PlannedLine | readonly LineError[],
  { line, dryRun }: { readonly line: number; readonly dryRun: boolean },
): ImportedLine {
  if (!isPlanned(planned)) return { line, outcome: 'refused', errors: planned };
  const { userId, insert, update, edits } = planned;
  if (insert !== undefined) return { line, outcome: 'created', ...(!dryRun && { userId }) };
  return { line, outcome: update !== undefined || edits.length > 0 ? 'updated' : 'unchanged', userId };
}
