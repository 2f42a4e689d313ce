import Type, { type Static } from 'typebox';
import type { Plan as TenantPlan } from '../../reconcile/plan.ts';
import { Id, nullable } from '../shapes.ts';

/** How plans are asked for and told, whatever is planned. */

const Right = Type.Object({ permission: Type.String(), user: Id });
const gainedAndLost = <Item extends Parameters<typeof Type.Array>[0]>(item: Item) =>
  Type.Object({ gained: Type.Array(item), lost: Type.Array(item) });

const PlanObject = Type.Object({
  digest: Type.String({ description: 'Names exactly these changes; pass it as `expectDigest`' }),
  add: Type.Integer(),
  change: Type.Integer(),
  remove: Type.Integer(),
  atNextSignIn: Type.Integer({
    description: 'Changes that wait for the next sign-in of those who are synced there',
  }),
  removeAtNextSignIn: Type.Integer(),
  owners: Type.Object({
    gained: Type.Array(Id),
    lost: Type.Array(Id),
    retained: Type.Array(Id, { description: 'Who stays owner only until somebody else is one' }),
  }),
  permissions: gainedAndLost(Right),
  changes: Type.Array(
    Type.Object({
      change: Type.Enum(['add', 'change', 'remove']),
      user: Id,
      userName: nullable(Type.String()),
      team: nullable(Type.String()),
      teamId: Id,
      kind: nullable(Type.String()),
      role: nullable(Type.String()),
      was: nullable(Type.String()),
      row: nullable(Type.String({ description: 'JSON pointer into the document of `mappingVersion`' })),
      mappingVersion: nullable(Type.Integer()),
    }),
    { description: 'Of memberships, the first 1,000' },
  ),
});
export const Plan = Type.Unsafe<TenantPlan>(PlanObject);

/** The members of a plan, for what tells a part of one. */
export const planMembers = PlanObject.properties;

/** What a query says of a switch. */
export const Flag = Type.Enum(['true', 'false']);
const Number9 = Type.String({ pattern: '^[0-9]{1,9}$' });

/** What is asked of a change that is planned, reviewed, and then made. */
export const planQuery = {
  dryRun: Type.Optional(Flag),
  expectDigest: Type.Optional(Type.String({ pattern: '^[0-9a-f]{32}$' })),
  confirm: Type.Optional(Number9),
};

/** The same with a version and teams to be made: for the mapping itself. */
export const mappingQuery = {
  ...planQuery,
  createTeams: Type.Optional(Flag),
  ifVersion: Type.Optional(Number9),
};

const MappingQuery = Type.Object(mappingQuery);

/** A query string holds text only: what it means. */
export function readPlanQuery(query: Static<typeof MappingQuery>) {
  const { dryRun, createTeams, expectDigest, ifVersion, confirm } = query;
  return {
    dryRun: dryRun === 'true',
    createTeams: createTeams === 'true',
    ...(expectDigest !== undefined && { expectDigest }),
    ...(ifVersion !== undefined && { ifVersion: Number(ifVersion) }),
    ...(confirm !== undefined && { confirm: Number(confirm) }),
  };
}
