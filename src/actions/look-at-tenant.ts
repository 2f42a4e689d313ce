import type { Context } from '../context.ts';
import { REFRESH_STATISTICS } from '../db/statistics.ts';
import { runAlone, runIn, transaction } from '../db/transaction.ts';
import { hasMoreUsers } from '../directory/count.ts';

/** For fewer users any plan will do. */
const FEW = 1_000;

/** Before work on a whole tenant: lets PostgreSQL see how large it is, so that it plans for what there is. */
export async function lookAtTenant({ db }: Context, tenantId: string): Promise<void> {
  const [row] = await runAlone(db, hasMoreUsers(tenantId, FEW));
  // On administration's connections: on a slow disk it may take longer than the hot path gives a statement.
  if (row?.answer) await transaction(db, tenantId, (trx) => runIn(trx, REFRESH_STATISTICS));
}
