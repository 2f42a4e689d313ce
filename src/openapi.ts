import { readFileSync, writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import { makeClientRecords } from './clients/client-records.ts';
import { openDatabase } from './db/database.ts';
import { openOutbound } from './outbound/outbound.ts';
import { openVerifiers } from './start/verifiers.ts';

/**
 * `npm run openapi` writes `openapi/rollcall.json` from the routes; with `--check` it only says whether the
 * committed file is fresh. Nothing connects: routes need no database to be described.
 */

/** The OpenAPI 3.1 document of all surfaces, as formatted JSON text. */
async function openApiText(): Promise<string> {
  const db = openDatabase({ connection: {}, poolSize: 1, onConnectionError: () => {} });
  const log = pino({ level: 'silent' });
  const context = {
    db,
    log,
    now: () => new Date(0),
    publicUrl: 'http://127.0.0.1:8080',
    operatorKeyHash: Buffer.alloc(32),
    secretKey: Buffer.alloc(32),
    outbound: openOutbound({ allowLoopback: false }),
    resolveTxt: async () => [],
  };
  const verifiers = openVerifiers(context);
  const app = await buildApp(context, {
    authenticate: () => Promise.reject(new Error('nobody asks')),
    clients: makeClientRecords(db),
    verifiers,
    trustedProxies: [],
    isDraining: () => false,
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  await verifiers.close();
  await db.close();
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

const file = new URL('../../openapi/rollcall.json', import.meta.url);
const text = await openApiText();
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  process.stderr.write('openapi/rollcall.json is stale: run `npm run openapi` and commit it\n');
  process.exitCode = 1;
}
