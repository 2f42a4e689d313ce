import Type from 'typebox';
import { LOST_BECAUSE } from '../../reconcile/decide.ts';
import { type Explanation, LIMITS, NOTHING_BECAUSE } from '../../reconcile/explanation.ts';
import { Id, nullable } from '../shapes.ts';
import { Origin, teamOfMembership } from './user-shape.ts';

/** How the admin API says what a person holds and why. */

const Moment = Type.String({ format: 'date-time' });
const Role = nullable(Type.String({ description: 'null: a right without roles' }));
const by = {
  mappingVersion: nullable(
    Type.Integer({ description: 'null: no row gives it, or the document is not stored' }),
  ),
  row: nullable(
    Type.String({ description: 'JSON pointer into that version; null: by hand, or by `userType`' }),
  ),
  group: nullable(Type.Object({ id: nullable(Id), name: Type.String() })),
};

const granted = {
  origin: Origin,
  since: nullable(Moment),
  gave: nullable(
    Type.Object(
      {
        ...by,
        changeId: Type.String({ format: 'uuid', description: 'Its events: `…/events?change=`' }),
        event: nullable(Type.Object({ id: Id, sequence: Type.Integer() })),
      },
      { description: 'What made the grant as it is; null: it is only tried' },
    ),
  ),
};

const Lost = Type.Enum([...LOST_BECAUSE], {
  description:
    '`later_in_list`: an earlier row decides; `lower_role`: a row with a higher role does; `another_group`: the same row ' +
    'is met by another group too; `managed_first`: what groups give goes before it; `origin_order`: another origin ' +
    'goes before it; `not_applied`: it should hold, and waits for a job or a resync',
});
const Nothing = Type.Enum([...NOTHING_BECAUSE], {
  description:
    '`unknown_team`, `unknown_permission`: there is none of this name; `other_source`: the row is for another directory ' +
    'or identity provider; `not_active`: the user is not; `not_applied`: it waits for a job or a resync',
});

const holding = {
  ...granted,
  heldBy: nullable(Type.Object(by, { description: 'What gives it now; null: no row' })),
  lost: Type.Array(Type.Object({ origin: Origin, role: Role, ...by, why: Lost }), {
    description: 'What would give it too, or in another role',
  }),
};

const Target = Type.Object({
  id: nullable(Id),
  kind: Type.Enum(['team', 'case_group', 'permission', 'owner']),
  name: nullable(Type.String()),
});

/** The members of an explanation. */
export const explanation = {
  user: Type.Object({
    id: nullable(Id),
    userName: nullable(Type.String()),
    active: Type.Boolean(),
    managedBy: nullable(Type.String()),
  }),
  at: Moment,
  mappingVersion: nullable(Type.Integer()),
  state: Type.Enum(['active', 'applying', 'none', 'tried'], {
    description: '`applying`: a job still carries the version out; `none`: there is no mapping',
  }),
  memberships: Type.Array(
    Type.Object({ team: Type.Object(teamOfMembership), role: Type.String(), ...holding }),
  ),
  tenantOwner: nullable(Type.Object(holding)),
  permissions: Type.Array(Type.Object({ permission: Type.String(), ...holding })),
  suspended: Type.Array(
    Type.Object({ target: Target, role: Role, ...granted, why: Type.Enum(['not_active']) }),
    { description: 'Grants that hold nothing, and are kept' },
  ),
  nothing: Type.Array(Type.Object({ origin: Origin, target: Target, role: Role, ...by, why: Nothing }), {
    description: "Rows that name one of the person's groups and give nothing",
  }),
  limits: Type.Array(Type.Enum([...LIMITS]), {
    description:
      'What of the past cannot be told: the claims of sign-ins then, the ranks of roles that are deleted',
  }),
};

export const ExplanationShape = Type.Unsafe<Explanation>(Type.Object(explanation));
