import Type from 'typebox';
import type { Context } from '../../context.ts';
import type { Database } from '../../db/database.ts';
import { runAlone } from '../../db/transaction.ts';
import { type Profile, profileOf, readProfiles } from '../../directory/profiles.ts';
import { notFound } from '../../errors.ts';
import { membersOfTeam, type TeamMember } from '../../reconcile/access.ts';
import { Id, idOrNotFound, ofTenant, pageOf, pageQuery, problems } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { Origin, ProfileShape, Via } from './user-shape.ts';

interface MemberView {
  readonly user: Profile;
  readonly role: string;
  readonly origin?: string;
  readonly managedBy?: string;
  readonly via: readonly string[];
}

/** The word of each surface for what holds a membership. */
const HOLDER = { admin: 'origin', product: 'managedBy' } as const;
type Holder = (typeof HOLDER)[keyof typeof HOLDER];

/** The members of a team, which the admin API and the product API give out alike but for one word. */
export function memberRoutes(scope: TypedScope, { db }: Context, surface: 'admin' | 'product'): void {
  const holder = HOLDER[surface];
  const Member = Type.Unsafe<MemberView>(
    Type.Object({ user: ProfileShape, role: Type.String(), [holder]: Origin, via: Via }),
  );
  scope.get(
    '/tenants/:tenant/teams/:team/members',
    {
      schema: {
        tags: ['Teams'],
        operationId: surface === 'admin' ? 'listMembers' : 'readMembers',
        summary: "List a team's members with their roles, in the order of their creation",
        params: Type.Object({ ...ofTenant, team: Type.String({ description: 'Id' }) }),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: {
          200: Type.Object({ members: Type.Array(Member), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, params, query }) => {
      const teamId = idOrNotFound(params.team, 'Team');
      const { items, ...next } = await pageOf(query, async (page) => {
        const members = await membersOfTeam(db, tenantId, teamId, page);
        if (members === undefined) throw notFound('Team');
        return members.map((member) => ({ ...member, id: member.userId }));
      });
      return { members: await membersView(db, { tenantId, holder }, items), ...next };
    },
  );
}

/** Who was deleted in between is left out. */
async function membersView(
  db: Database,
  { tenantId, holder }: { readonly tenantId: string; readonly holder: Holder },
  members: readonly TeamMember[],
): Promise<MemberView[]> {
  const userIds = members.map(({ userId }) => userId);
  const rows = await runAlone(db, readProfiles(tenantId, userIds));
  const users = new Map(rows.map((row) => [row.id, profileOf(row)]));
  return members.flatMap(({ userId, role, origin, via }) => {
    const user = users.get(userId);
    return user ? [{ user, role, [holder]: origin, via }] : [];
  });
}
