import type { Step } from './statement.ts';

/**
 * Lets PostgreSQL look at how much there is of what plans are made for. It looks by itself when much has changed, but
 * always behind it: of a customer who came this minute it expects no row, any index that begins with the tenant looks as
 * good as any other, and finding each of 20,000 users by id reads all of them. For work on a whole tenant, before it:
 * takes well under a second, however large the tables are. What somebody else looks at is left to them.
 */
export const REFRESH_STATISTICS: Step = {
  statement: {
    text: `analyze (skip_locked) scim_user, scim_group, group_member, team, mapping_row, access_grant, jit_sync`,
  },
  values: [],
};
