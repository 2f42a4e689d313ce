import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Config, SETTINGS } from '../config.ts';
import { StartError } from '../start-error.ts';

export interface Secrets {
  readonly operatorKey: string;
  /** 32 bytes. */
  readonly secretKey: Buffer;
}

const operatorKeyFile = (dataDir: string) => resolve(dataDir, 'operator-key');

/** What a shell replaces by the operator key that was made at the first start. */
export const keptOperatorKey = (dataDir: string): string => `$(cat '${operatorKeyFile(dataDir)}')`;

/** The keys that were given, and for those that were not the ones kept in `dataDir`, made at the first start. */
export async function resolveSecrets({ dataDir, operatorKey, secretKey }: Config): Promise<Secrets> {
  const { ROLLCALL_OPERATOR_KEY: operator, ROLLCALL_SECRET_KEY: secret } = SETTINGS;
  return {
    operatorKey: operatorKey ?? (await keptSecret(operatorKeyFile(dataDir), operator.read, 'hex')),
    secretKey: secretKey ?? (await keptSecret(resolve(dataDir, 'secret-key'), secret.read, 'base64')),
  };
}

async function keptSecret<Key>(
  path: string,
  read: (text: string) => Key,
  encoding: 'hex' | 'base64',
): Promise<Key> {
  try {
    return read((await readFile(path, 'utf8')).trim());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new StartError(`The key kept in ${path} cannot be used: ${(error as Error).message}`);
    }
  }
  const text = randomBytes(32).toString(encoding);
  await writePrivately(path, `${text}\n`);
  return read(text);
}

/** Only the owner may read it; after a power loss it is there whole, or not at all. */
async function writePrivately(path: string, text: string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}
