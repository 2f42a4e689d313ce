import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { ScimError } from '../../src/scim/error.ts';
import { PATCH_OP } from '../../src/scim/messages.ts';
import { applyPatch, readPatch } from '../../src/scim/patch.ts';
import { USER_TYPE } from '../../src/scim/resource-types.ts';
import type { Resource } from '../../src/scim/types.ts';
import { readResource } from '../../src/scim/validate.ts';
import { bodies } from '../oracle/arbitraries.ts';
import { outcome, writablePart } from '../oracle/patch.ts';
import { operations, writeOperation } from '../oracle/patch-arbitraries.ts';
import { chooser } from '../oracle/write.ts';
import { runs, SEED } from '../support/runs.ts';
import { reading } from '../support/scim.ts';
import { plainType } from './plain-type.ts';

t.comment(`ROLLCALL_SEED=${SEED}`);
const TYPE = plainType(USER_TYPE);

/** A user, and operations that meet its values. */
const changes = bodies(TYPE, { userName: fc.constant('bjensen'), active: fc.boolean() }).chain((body) => {
  const before = readResource(body, USER_TYPE, reading());
  return fc.record({
    before: fc.constant(before),
    list: fc.array(operations(TYPE, before), { minLength: 1, maxLength: 4 }),
    choices: fc.noShrink(fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 })),
  });
});

function byService(before: Resource, Operations: readonly object[]): object | string {
  try {
    const body = { schemas: [PATCH_OP], Operations };
    return writablePart(applyPatch(before, readPatch(body, USER_TYPE, reading()), USER_TYPE), TYPE);
  } catch (error) {
    if (error instanceof ScimError && error.scimType !== undefined) return error.scimType;
    throw error;
  }
}

t.test('§3.5.2 random operations end as they end in a model on plain objects', async () => {
  fc.assert(
    fc.property(changes, ({ before, list, choices }) => {
      const choose = chooser(choices);
      const written = JSON.parse(JSON.stringify(list.map((each) => writeOperation(each, TYPE, choose))));
      const [answer, wanted] = [byService(before, written), outcome(writablePart(before, TYPE), list, TYPE)];
      if (isDeepStrictEqual(answer, wanted)) return;
      const shown = { before, operations: written, answer, wanted };
      throw new Error(JSON.stringify(shown, null, 2));
    }),
    { numRuns: runs(1_000, 40_000), seed: SEED },
  );
});
