import Type from 'typebox';
import { ROLE_NAME } from '../../reconcile/roles.ts';
import { MAX_TEAM_NAME } from '../../reconcile/teams.ts';
import type { ShownGrant } from '../../tenants/team-grants.ts';
import { line } from '../shapes.ts';
import { teamOfMembership } from './user-shape.ts';

/** A team and a role, as an admin names what somebody is to get. */
const NamedGrant = Type.Object(
  {
    team: { ...line(MAX_TEAM_NAME), description: 'Id of a team or case group, or its name' },
    role: Type.String({ pattern: ROLE_NAME.source, description: 'Name of a role, in any case' }),
  },
  { additionalProperties: false },
);

export const NamedGrants = Type.Array(NamedGrant, { maxItems: 100 });

/** The same in answers. */
export const ShownGrants = Type.Unsafe<readonly ShownGrant[]>(
  Type.Array(Type.Object({ team: Type.Object(teamOfMembership), role: Type.String() }), {
    description: 'Teams that were deleted are left out',
  }),
);
