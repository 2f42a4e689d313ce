import type { Step } from './statement.ts';

const analyze = (tables: string): Step => ({
  statement: { text: `analyze (skip_locked) ${tables}` },
  values: [],
});

const GRANTS = 'access_grant (tenant_id, target_id, user_id, origin, suspended)';

/**
 * Lets PostgreSQL look at how much there is of what plans are made for. It looks by itself when much has changed, but
 * always behind it: of a customer who came this minute it expects no row, any index that begins with the tenant looks as
 * good as any other, and finding each of 20,000 users by id reads all of them. For work on a whole tenant, before it:
 * takes well under a second, however large the tables are, as it looks at what is joined by and not at bodies. What
 * somebody else looks at is left to them.
 */
export const REFRESH_STATISTICS = analyze(
  `scim_user (tenant_id, id, directory_id, active), scim_group (tenant_id, id, directory_id, display_name, external_id),
   group_member, team, mapping_row, ${GRANTS}, jit_sync (tenant_id, user_id, identity_provider, mode, mapping_version)`,
);

/** The same of grants alone: what a job itself makes more of. */
export const REFRESH_GRANT_STATISTICS = analyze(GRANTS);
