import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readConfig } from '../../src/config.ts';
import { resolveSecrets } from '../../src/start/secrets.ts';

const configOf = (environment: Record<string, string>) => readConfig(environment, () => '');

t.test('keys are made once and kept; given keys go before kept ones', async (t) => {
  const DATA_DIR = t.testdir();
  const made = await resolveSecrets(configOf({ DATA_DIR }));
  t.match(made.operatorKey, /^[0-9a-f]{64}$/);
  t.equal(made.secretKey.length, 32);
  t.strictSame(await resolveSecrets(configOf({ DATA_DIR })), made);
  const given = 'g'.repeat(32);
  const withGiven = await resolveSecrets(configOf({ DATA_DIR, ROLLCALL_OPERATOR_KEY: given }));
  t.strictSame(withGiven, { ...made, operatorKey: given });
});

t.test(
  'a kept key that does not hold stops the start; it is not replaced, for it may encrypt data',
  async (t) => {
    const DATA_DIR = t.testdir();
    const path = join(DATA_DIR, 'secret-key');
    writeFileSync(path, 'damaged');
    await t.rejects(resolveSecrets(configOf({ DATA_DIR })), {
      name: 'StartError',
      message: `The key kept in ${path} cannot be used: must be 32 bytes in base64`,
    });
  },
);
