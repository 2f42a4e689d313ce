import { CLAIM_KEYS, GROUP_KEYS } from './match-keys.ts';
import { type Statement, type Step, statement, step } from './statement.ts';

/**
 * The users whom a transaction may give access to or take it from: noted in a setting that ends with it, so that
 * reconciliation plans for exactly those, and Node is not asked in between. Whoever locks users notes them; the steps
 * here note users whom nobody else can write, because the transaction holds the tenant alone, or has made them.
 */

/** The end of a statement: notes the ids of its CTE `locked`. They may be many, and stay with PostgreSQL. */
export const NOTED = `select count(*) as users,
     length(set_config('rollcall.users', coalesce(string_agg(id::text, ','), ''), true)) as bytes from locked`;

/** What such a statement answers: how many it noted. */
export interface Noted {
  readonly users: number;
}

/**
 * CTE `noted`: those users. To be joined, and never compared with as a list: a list that is not constant is searched
 * from its begin for each row.
 */
export const NOTED_USERS = `noted as materialized (
     select distinct unnest(string_to_array(current_setting('rollcall.users', true), ',')::uuid[]) as user_id
   )`;

/** `rollcall.joining` and `rollcall.leaving`, as `lockMembers` notes them: `group:user,user;group:user`. */
const membersNoted = (
  setting: string,
) => `select split_part(each, ':', 1)::uuid as group_id, m::uuid as user_id
     from unnest(string_to_array(current_setting('rollcall.${setting}', true), ';')) as each,
          unnest(string_to_array(split_part(each, ':', 2), ',')) as m`;

/** Who comes into which group, and who goes from which, by the changes that `lockMembers` has looked at. */
export const JOINING = membersNoted('joining');
export const LEAVING = membersNoted('leaving');

const noteUsersStatement = statement<Noted>(
  'note_users',
  `with locked as materialized (select unnest($1::uuid[]) as id) ${NOTED}`,
);

export function noteUsers(userIds: readonly string[]): Step<Noted> {
  return step(noteUsersStatement, [userIds]);
}

const HOLDERS: Statement<Noted> = {
  text: `with locked as materialized (
     select distinct user_id as id from access_grant where tenant_id = $1 and target_id = $2
   ) ${NOTED}`,
};

/** Who has any grant of the team or permission. */
export function noteHolders(tenantId: string, targetId: string): Step<Noted> {
  return step(HOLDERS, [tenantId, targetId]);
}

const REACHED: Statement<Noted> = {
  text: `with naming as materialized (
     select r.match, r.version, r.version = p.version as holds
     from mapping_row r left join group_mapping p on p.tenant_id = $1
     where r.tenant_id = $1 and r.kind = $2 and r.target = $3
   ), locked as materialized (
     select m.user_id as id from group_member m
     join scim_group g on g.tenant_id = $1 and g.id = m.group_id
     where m.tenant_id = $1 and exists (
       select from naming where holds and match in (${GROUP_KEYS}))
     union
     select j.user_id from jit_sync j cross join lateral unnest(j.groups) as c (name)
     join naming r on r.version = j.mapping_version and r.match in (${CLAIM_KEYS})
     where j.tenant_id = $1
     union
     select user_id from access_grant where tenant_id = $1 and target_id = $4
   ) ${NOTED}`,
};

/** Whom rows of the mapping reach that name this team or case group, and who has any grant of it. */
export function noteReached(
  tenantId: string,
  { kind, name, id }: { readonly kind: string; readonly name: string; readonly id: string },
): Step<Noted> {
  return step(REACHED, [tenantId, kind, name, id]);
}

const MEMBERS: Statement<Noted> = {
  text: `with ${NOTED_USERS}, locked as materialized (
     select user_id as id from group_member where tenant_id = $1 and group_id = any ($2::uuid[])
     union
     select user_id from noted
   ) ${NOTED}`,
};

/** The members of these groups, beside whom the transaction has noted already. */
export function noteMembers(tenantId: string, groupIds: readonly string[]): Step<Noted> {
  return step(MEMBERS, [tenantId, groupIds]);
}
