import Type from 'typebox';
import type { TenantSettings } from '../../context.ts';
import type { Database } from '../../db/database.ts';
import { snapshot } from '../../db/transaction.ts';
import { type Profile, profileOf, readProfiles } from '../../directory/profiles.ts';
import {
  type AccessDecision,
  accessByUser,
  accessSteps,
  decideAccess,
  NO_ACCESS,
} from '../../reconcile/access.ts';
import { Origin, ProfileShape, teamOfMembership, Via } from '../admin/user-shape.ts';

/** A user's access, as the product reads it. */
export interface AccessView extends AccessDecision {
  readonly user: Profile;
}

/** Whether a user may come in, and what they may do. */
export const accessDecision = {
  signIn: Type.Enum(['allow', 'deny'], {
    description:
      '`deny`: the user is not active; or holds nothing, and the tenant denies that (setting `unmappedUsers`)',
  }),
  tenantOwner: Type.Boolean(),
  permissions: Type.Array(Type.String()),
  teams: Type.Array(Type.Object({ ...teamOfMembership, role: Type.String(), managedBy: Origin, via: Via })),
};

export const AccessAnswer = Type.Unsafe<AccessView>(Type.Object({ user: ProfileShape, ...accessDecision }));

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
  return { user, ...decideAccess(access, { ...settings, active: user.active }) };
}
