import type { Kysely, Selectable, Transaction } from 'kysely';
import type { ScimActor } from '../context.ts';
import { type Step, statement, step } from '../db/statement.ts';
import type { SchemaExtensionTable, Tables } from '../db/tables.ts';
import type { Attribute, Extension, Schema } from '../scim/types.ts';

/** A schema that a tenant adds to its users (RFC 7643 section 3.3); `id` is its URN as it was declared. */
export interface SchemaExtension extends Schema {
  /** Whether every user must have it. */
  readonly required: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What column `definition` holds: everything but the URN, with every default written out. */
interface Definition {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly attributes: readonly Attribute[];
}

export async function insertSchemaExtension(
  trx: Transaction<Tables>,
  tenantId: string,
  extension: SchemaExtension,
): Promise<void> {
  await trx
    .insertInto('schema_extension')
    .values({
      tenant_id: tenantId,
      urn: extension.id,
      urn_folded: extension.id.toLowerCase(),
      definition: definitionText(extension),
      created_at: extension.createdAt,
      updated_at: extension.updatedAt,
    })
    .execute();
  await countChange(trx, tenantId);
}

/** Writes what can change of an extension. */
export async function updateSchemaExtension(
  trx: Transaction<Tables>,
  tenantId: string,
  extension: SchemaExtension,
): Promise<void> {
  await trx
    .updateTable('schema_extension')
    .set({ definition: definitionText(extension), updated_at: extension.updatedAt })
    .where('tenant_id', '=', tenantId)
    .where('urn_folded', '=', extension.id.toLowerCase())
    .execute();
  await countChange(trx, tenantId);
}

export async function deleteSchemaExtensionRow(
  trx: Transaction<Tables>,
  tenantId: string,
  urn: string,
): Promise<void> {
  await trx
    .deleteFrom('schema_extension')
    .where('tenant_id', '=', tenantId)
    .where('urn_folded', '=', urn.toLowerCase())
    .execute();
  await countChange(trx, tenantId);
}

async function countChange(trx: Transaction<Tables>, tenantId: string): Promise<void> {
  await trx
    .updateTable('tenant')
    .set((eb) => ({ schema_version: eb('schema_version', '+', 1) }))
    .where('tenant_id', '=', tenantId)
    .execute();
}

const requireSchemaVersionStatement = statement<unknown>(
  'require_schema_version',
  'select require_schema_version($1, $2)',
);

/**
 * Ends the transaction, with 503, where the actor's key still knows another version of
 * the tenant's schema: keys are remembered for 0.9 seconds. To be sent behind `lockTenantShared`, before users are
 * written: a writer on an older definition would drop values that it does not know, or show what is hidden by now.
 */
export function requireSchemaVersion({
  tenantId,
  schemaVersion,
}: Pick<ScimActor, 'tenantId' | 'schemaVersion'>): Step {
  return step(requireSchemaVersionStatement, [tenantId, schemaVersion]);
}

/** The tenant's extensions, in the order of their creation; ten at most. */
export async function listSchemaExtensions(
  kysely: Kysely<Tables>,
  tenantId: string,
): Promise<SchemaExtension[]> {
  const rows = await kysely
    .selectFrom('schema_extension')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('created_at')
    .orderBy('urn_folded')
    .execute();
  return rows.map(extensionOf);
}

/** The extension of that URN, in any case. */
export async function schemaExtensionByUrn(
  kysely: Kysely<Tables>,
  tenantId: string,
  urn: string,
): Promise<SchemaExtension | undefined> {
  const row = await kysely
    .selectFrom('schema_extension')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('urn_folded', '=', urn.toLowerCase())
    .executeTakeFirst();
  return row && extensionOf(row);
}

function definitionText({ name, description, required, attributes }: SchemaExtension): string {
  return JSON.stringify({ name, description, required, attributes } satisfies Definition);
}

function extensionOf(row: Selectable<SchemaExtensionTable>): SchemaExtension {
  const definition = row.definition as unknown as Definition;
  return { id: row.urn, ...definition, createdAt: row.created_at, updatedAt: row.updated_at };
}

/**
 * The extensions of tenant `t` as JSON text of `[urn, definition]` pairs, null where it has none: a part of the
 * statement that looks a key up, so that a key knows its tenant's schema without another way to the database.
 */
export const EXTENSIONS_OF_TENANT = `(
  select jsonb_agg(jsonb_build_array(e.urn, e.definition) order by e.created_at, e.urn_folded)::text
  from schema_extension e where e.tenant_id = t.tenant_id)`;

const NONE: readonly Extension[] = [];

/** The text that is remembered as parsed, in UTF-16 units: one tenant's extensions have 655,360 at most. */
const KEPT = 16_000_000;
const parsed = new Map<string, readonly Extension[]>();
let kept = 0;

/**
 * What `EXTENSIONS_OF_TENANT` says. The same text gives the same array, so that what is compiled from it
 * (`typesWith`) is compiled once; the texts that came first make room.
 */
export function extensionsOf(text: string | null): readonly Extension[] {
  if (text === null) return NONE;
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const pairs = JSON.parse(text) as readonly (readonly [urn: string, definition: Definition])[];
  const extensions = pairs.map(([id, { required, ...schema }]) => ({ schema: { id, ...schema }, required }));
  parsed.set(text, extensions);
  kept += text.length;
  for (const oldest of parsed.keys()) {
    if (kept <= KEPT) break;
    parsed.delete(oldest);
    kept -= oldest.length;
  }
  return extensions;
}
