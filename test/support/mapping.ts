import { runAlone } from '../../src/db/transaction.ts';
import {
  currentMapping,
  knownNames,
  namesForMapping,
  storeMapping as storeVersion,
} from '../../src/reconcile/mapping.ts';
import { readMappingDocument } from '../../src/reconcile/mapping-document.ts';
import type { TestApp } from './app.ts';

/**
 * Makes the document the tenant's mapping, as a next version. Nobody is reconciled by it: what is pushed, or edited by
 * hand, behind it is.
 */
export async function storeMapping(
  { context: { db } }: TestApp,
  tenantId: string,
  document: object,
): Promise<void> {
  const [names] = await runAlone(db, namesForMapping(tenantId));
  const { known, roles } = knownNames(names);
  const [current] = await runAlone(db, currentMapping(tenantId));
  const version = {
    version: (current?.version ?? 0) + 1,
    document: readMappingDocument(document, known),
    cause: { kind: 'put' },
    author: '{"kind": "operator"}',
    at: new Date('2026-03-04T05:06:07.000Z'),
  } as const;
  await runAlone(db, storeVersion(tenantId, version, roles));
}
