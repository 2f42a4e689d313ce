import t from 'tap';
import { hintFor, type Unhinted } from '../../../src/http/scim/hints.ts';
import type { ScimType } from '../../../src/scim/error.ts';

/** Which status each type comes with. */
const TYPES: Readonly<Record<ScimType, readonly number[]>> = {
  invalidFilter: [400],
  tooMany: [400],
  uniqueness: [400, 409],
  mutability: [400],
  invalidSyntax: [400],
  invalidPath: [400],
  noTarget: [400],
  invalidValue: [400],
  invalidVers: [400],
  sensitive: [403],
  invalidCursor: [400],
  expiredCursor: [400],
  invalidCount: [400],
};
const STATUSES = [400, 401, 403, 404, 405, 408, 409, 412, 413, 414, 415, 431, 500, 501, 503];

const refusal = (status: number, more: Partial<Unhinted> = {}): Unhinted => ({
  status,
  scimType: undefined,
  method: 'GET',
  route: '/api/scim/v2/Users',
  ended: undefined,
  ...more,
});

t.test('every status and every scimType has words of its own for the admin', async (t) => {
  const typed = Object.entries(TYPES).flatMap(([type, statuses]) =>
    statuses.map((status) => refusal(status, { scimType: type as ScimType })),
  );
  const hints = [...STATUSES.map((status) => refusal(status)), ...typed].map(hintFor);
  t.equal(new Set(hints).size, hints.length, 'no two are the same, the one for anything else included');
  t.notOk(hints.includes(hintFor(refusal(418))));
});

t.test('what is in no list is told to whom it concerns', async (t) => {
  t.match(hintFor(refusal(418)), /RFC 7644/);
  t.equal(hintFor(refusal(507)), hintFor(refusal(500)));
});
