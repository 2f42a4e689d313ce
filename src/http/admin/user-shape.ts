import Type from 'typebox';
import type { Database } from '../../db/database.ts';
import { snapshot } from '../../db/transaction.ts';
import { type Identity, identitiesIn, identitiesOf } from '../../directory/identity-links.ts';
import { type Profile, profileOf, readProfiles } from '../../directory/profiles.ts';
import { type Access, accessByUser, accessSteps, NO_ACCESS } from '../../reconcile/access.ts';
import { groupsOfUsers, type SourceGroups, sourceGroupsByUser } from '../../reconcile/groups-seen.ts';
import { TEAM_KINDS } from '../../reconcile/teams.ts';
import { Id, nullable, Timestamp } from '../shapes.ts';

/** A user with all that is known of what they hold, and why: how the admin API shows users, lists too. */

const Text = nullable(Type.String());
const profile = {
  id: Id,
  userName: Type.String(),
  externalId: Text,
  productUserId: nullable(Type.String({ description: "The product's own id of the user" })),
  active: Type.Boolean(),
  displayName: Text,
  givenName: Text,
  familyName: Text,
  email: nullable(Type.String({ description: 'The primary one, or else the first' })),
  avatar: nullable(Type.String({ description: 'URL of the primary photo, or else of the first' })),
  managedBy: nullable(
    Type.String({
      description:
        '`scim:<directory>`; `jit:<identity provider>` of the last sign-in that synced; null: nobody',
    }),
  ),
};

/** Who a user is, without what they hold. */
export const ProfileShape = Type.Unsafe<Profile>(Type.Object(profile));

/** The team of a membership. */
export const teamOfMembership = { id: Id, name: Type.String(), kind: Type.Enum([...TEAM_KINDS]) };
export const Origin = Type.String({
  description:
    'What holds it: `manual`, `scim:<directory>`, `jit:<identity provider>`, `email_domain`, `invitation`, `retention`',
});
export const Via = Type.Array(Type.String(), {
  description: "The user's groups or claims that give the team by the mapping, the one that decides first",
});

export type UserView = Profile &
  Access & {
    readonly identityProviderGroups: readonly SourceGroups[];
    readonly identities: readonly Identity[];
  };

export const User = Type.Unsafe<UserView>(
  Type.Object({
    ...profile,
    tenantOwner: Type.Boolean(),
    permissions: Type.Array(Type.String()),
    memberships: Type.Array(
      Type.Object({ team: Type.Object(teamOfMembership), role: Type.String(), origin: Origin, via: Via }),
    ),
    identityProviderGroups: Type.Array(
      Type.Object({
        source: Type.String({ description: '`scim:<directory>` or `jit:<identity provider>`' }),
        state: Type.Enum(['list', 'empty', 'absent', 'overage'], {
          description:
            'Of claims what the last sign-in said; `absent` and `overage`: unknown, and `groups` is what was told before',
        }),
        groups: Type.Array(Type.String()),
        seenAt: nullable(
          Type.String({
            format: 'date-time',
            description: 'When one of the groups last changed, or of the sign-in that told of the claims',
          }),
        ),
      }),
    ),
    identities: Type.Array(
      Type.Object({
        identityProvider: Type.String(),
        subject: Type.String(),
        linkedAt: Timestamp,
        lastSignInAt: nullable(Timestamp),
      }),
      { description: 'By which subject of which identity provider the user signs in' },
    ),
  }),
);

/** The users of the tenant with these ids, in the order of their ids: five statements, however many there are. */
export async function userView(db: Database, tenantId: string, ids: readonly string[]): Promise<UserView[]> {
  if (ids.length === 0) return [];
  const [profiles, held, via, told, linked] = await snapshot(db, [
    readProfiles(tenantId, ids),
    ...accessSteps(tenantId, ids),
    groupsOfUsers(tenantId, ids),
    identitiesOf(tenantId, ids),
  ]);
  const access = accessByUser(held, via);
  const groups = sourceGroupsByUser(told);
  return profiles.map((row) => ({
    ...profileOf(row),
    ...(access.get(row.id) ?? NO_ACCESS),
    identityProviderGroups: groups.get(row.id) ?? [],
    identities: identitiesIn(linked, row.id),
  }));
}
