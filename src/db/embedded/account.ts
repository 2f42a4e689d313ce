import { readFile } from 'node:fs/promises';
import { StartError } from '../../start-error.ts';
import { wayOut } from './binaries.ts';
import type { Account } from './run.ts';

/**
 * The account to run PostgreSQL as: our own (undefined), or, as root, `nobody`, because PostgreSQL refuses
 * to run as root. It must be in the user database: initdb looks its name up.
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (process.platform !== 'linux') {
    throw new StartError(
      `The embedded PostgreSQL does not run as root here; start as another user. ${wayOut}`,
    );
  }
  const users = await readFile('/etc/passwd', 'utf8');
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(users) ?? [];
  if (uid === undefined) {
    throw new StartError(
      `PostgreSQL does not run as root, and there is no user "nobody" to run it as; start as another user. ${wayOut}`,
    );
  }
  return { uid: Number(uid), gid: Number(gid) };
}
