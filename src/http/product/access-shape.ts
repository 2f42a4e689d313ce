import Type from 'typebox';
import type { TenantSettings } from '../../context.ts';
import type { Database } from '../../db/database.ts';
import { snapshot } from '../../db/transaction.ts';
import { type Profile, profileOf, readProfiles } from '../../directory/profiles.ts';
import {
  type Access,
  accessByUser,
  accessSteps,
  type Membership,
  NO_ACCESS,
} from '../../reconcile/access.ts';
import { Origin, ProfileShape, teamOfMembership, Via } from '../admin/user-shape.ts';

/** A user's access, as the product reads it. */
export interface AccessView {
  readonly user: Profile;
  readonly signIn: 'allow' | 'deny';
  readonly tenantOwner: boolean;
  readonly permissions: readonly string[];
  readonly teams: readonly TeamAccess[];
}

type TeamAccess = Membership['team'] & {
  readonly role: string;
  readonly managedBy: string;
  readonly via: readonly string[];
};

export const AccessAnswer = Type.Unsafe<AccessView>(
  Type.Object({
    user: ProfileShape,
    signIn: Type.Enum(['allow', 'deny'], {
      description:
        '`deny`: the user is not active; or holds nothing, and the tenant denies that (setting `unmappedUsers`)',
    }),
    tenantOwner: Type.Boolean(),
    permissions: Type.Array(Type.String()),
    teams: Type.Array(Type.Object({ ...teamOfMembership, role: Type.String(), managedBy: Origin, via: Via })),
  }),
);

interface OfTenant {
  readonly id: string;
  readonly settings: TenantSettings;
}

/** The access of a user as it is at one moment; undefined: there is no such user. */
export async function accessView(
  db: Database,
  { id: tenantId, settings }: OfTenant,
  userId: string,
): Promise<AccessView | undefined> {
  const [[row], held, via] = await snapshot(db, [
    readProfiles(tenantId, [userId]),
    ...accessSteps(tenantId, [userId]),
  ]);
  if (row === undefined) return undefined;
  const user = profileOf(row);
  const access = accessByUser(held, via).get(user.id) ?? NO_ACCESS;
  return {
    user,
    signIn: mayEnter(user, access, settings) ? 'allow' : 'deny',
    tenantOwner: access.tenantOwner,
    permissions: access.permissions,
    teams: access.memberships.map(({ team, role, origin, via }) => ({
      ...team,
      role,
      managedBy: origin,
      via,
    })),
  };
}

function mayEnter({ active }: Profile, access: Access, { unmappedUsers }: TenantSettings): boolean {
  const holdsNothing =
    !access.tenantOwner && access.permissions.length === 0 && access.memberships.length === 0;
  return active && !(holdsNothing && unmappedUsers === 'deny');
}
