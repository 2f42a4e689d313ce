import fc from 'fast-check';
import t from 'tap';
import { AppError } from '../../src/errors.ts';
import { parseJson } from '../../src/http/json.ts';
import { ScimError } from '../../src/scim/error.ts';
import { parseFilter } from '../../src/scim/filter.ts';
import { PATCH_OP } from '../../src/scim/messages.ts';
import { applyPatch, readPatch } from '../../src/scim/patch.ts';
import { parsePatchPath } from '../../src/scim/path.ts';
import { USER_TYPE } from '../../src/scim/resource-types.ts';
import type { Resource } from '../../src/scim/types.ts';
import { readResource } from '../../src/scim/validate.ts';
import { bodies, filters, targetsOf } from '../oracle/arbitraries.ts';
import { brokenBodies, brokenTexts, prototypeState } from '../oracle/fuzz.ts';
import { operations, writeOperation } from '../oracle/patch-arbitraries.ts';
import { flaws } from '../oracle/well-formed.ts';
import { chooser, writeFilter } from '../oracle/write.ts';
import { runs, SEED } from '../support/runs.ts';
import { reading } from '../support/scim.ts';
import { plainType } from './plain-type.ts';

/** What was never meant to be sent: it is read, or refused with a word of the RFC and a sentence, and nothing else. */

const TYPE = plainType(USER_TYPE);
const NAMES = TYPE.attributes.map(({ definition }) => definition.name);
const pristine = prototypeState();
const choices = fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 });
const people = bodies(TYPE, { userName: fc.constant('bjensen'), active: fc.boolean() });
const read = (body: unknown) => readResource(body, USER_TYPE, reading());
/** A few users are enough to write about. */
const USERS = fc.sample(people, { numRuns: 20, seed: SEED }).map(read);
const user = fc.constantFrom(...USERS);

/** The result, or undefined for a refusal that an identity provider can be answered with. */
function readOrRefused<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof ScimError && error.status === 400 && error.scimType && error.message)
      return undefined;
    if (error instanceof AppError && error.code === 'invalid_request' && error.message) return undefined;
    throw error;
  }
}

/** What the door would refuse already gets in here, such as the name `__proto__` or one name twice. */
function parsed(text: string): unknown {
  readOrRefused(() => parseJson(Buffer.from(text)));
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function requirePristine(): void {
  if (prototypeState() !== pristine) throw new Error('the prototype of all objects has changed');
}

function requireWhole(resource: Resource | undefined): void {
  requirePristine();
  const found = resource === undefined ? [] : flaws(resource, TYPE);
  if (found.length > 0) throw new Error(found.join(', '));
}

t.comment(`ROLLCALL_SEED=${SEED}`);

t.test('20,000 texts, each as a filter and as a path: read, or refused as the RFC says', async () => {
  const filter = filters(targetsOf(TYPE, USERS));
  const written = fc.tuple(filter, choices).map(([node, all]) => writeFilter(node, TYPE, chooser(all)));
  fc.assert(
    fc.property(brokenTexts(written), (text) => {
      readOrRefused(() => parseFilter(text, USER_TYPE, reading()));
      readOrRefused(() => parsePatchPath(USER_TYPE, text, reading()));
      requirePristine();
    }),
    { numRuns: runs(20_000, 100_000), seed: SEED, skipEqualValues: true },
  );
});

t.test('10,000 bodies of users: whole resources, or refused', async () => {
  fc.assert(
    fc.property(brokenBodies(user, NAMES), (text) => {
      requireWhole(readOrRefused(() => read(parsed(text))));
    }),
    { numRuns: runs(10_000, 100_000), seed: SEED, skipEqualValues: true },
  );
});

t.test(
  '10,000 bodies of PATCH: whole resources, or refused, and what was patched stays as it was',
  async () => {
    const patches = user.chain((before) =>
      fc
        .tuple(fc.array(operations(TYPE, before), { minLength: 1, maxLength: 3 }), choices)
        .map(([list, all]) => ({
          schemas: [PATCH_OP],
          Operations: list.map((each) => writeOperation(each, TYPE, chooser(all))),
        })),
    );
    fc.assert(
      fc.property(user, brokenBodies(patches, [...NAMES, 'op', 'path', 'value']), (before, text) => {
        const copy = JSON.stringify(before);
        const patch = () => applyPatch(before, readPatch(parsed(text), USER_TYPE, reading()), USER_TYPE);
        requireWhole(readOrRefused(patch));
        if (JSON.stringify(before) !== copy) throw new Error('the resource itself has changed');
      }),
      { numRuns: runs(10_000, 100_000), seed: SEED, skipEqualValues: true },
    );
  },
);
