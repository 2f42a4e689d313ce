import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Test } from 'tap';

/** Runs a line as a shell does into which it was pasted; returns what it writes. */
export async function shell(line: string, env: Record<string, string | undefined>): Promise<string> {
  return (await promisify(execFile)('sh', ['-c', line], { env })).stdout;
}

/** The search path, with a stand-in for curl where the machine has none. */
export function pathWithCurl(t: Test): string {
  const path = process.env.PATH ?? '';
  if (path.split(delimiter).some((folder) => existsSync(join(folder, 'curl')))) return path;
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-curl-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const standIn = fileURLToPath(new URL('./curl.js', import.meta.url));
  writeFileSync(join(folder, 'curl'), `#!/bin/sh\nexec '${process.execPath}' '${standIn}' "$@"\n`);
  chmodSync(join(folder, 'curl'), 0o755);
  return `${folder}${delimiter}${path}`;
}
