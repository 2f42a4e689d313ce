import { isDeepStrictEqual } from 'node:util';
import type { Database } from '../../src/db/database.ts';
import { currentMapping, desired, type Grant, OWNER, type State } from '../oracle/reconcile.ts';
import { teamKey } from '../oracle/reconcile-step.ts';

/** What the service has stored of a tenant, in the words of the oracle. */
export interface Stored {
  readonly teams: readonly {
    readonly id: string;
    readonly kind: 'team' | 'case_group';
    readonly name: string;
  }[];
  readonly permissions: readonly { readonly id: string; readonly name: string }[];
  readonly grants: readonly StoredGrant[];
  readonly users: readonly {
    readonly id: string;
    readonly name: string;
    readonly directory: string | null;
    readonly active: boolean;
  }[];
  readonly links: readonly (Omit<State['links'][number], 'user'> & { readonly user_id: string })[];
  readonly mapping: { readonly version: number; readonly document: object } | null;
}

interface StoredGrant {
  readonly target_id: string;
  readonly user_id: string;
  readonly origin: string;
  readonly role: string | null;
  readonly suspended: boolean;
  readonly precedence: number | null;
  readonly since: string;
  readonly change_id: string;
}

const NIL = '00000000-0000-0000-0000-000000000000';

const STORED = {
  name: 'stored_of_tenant',
  text: `select
      (select coalesce(json_agg(t), '[]') from (select id, kind, name from team where tenant_id = $1) t) as teams,
      (select coalesce(json_agg(p), '[]') from (select id, name from permission where tenant_id = $1) p) as permissions,
      (select coalesce(json_agg(g), '[]')
       from (select target_id, user_id, origin, role, suspended, precedence, since, change_id from access_grant
             where tenant_id = $1) g) as grants,
      (select coalesce(json_agg(u), '[]')
       from (select u.id, user_name_folded as name, d.name as directory, coalesce(active, false) as active
             from scim_user u left join directory d on d.tenant_id = $1 and d.id = u.directory_id
             where u.tenant_id = $1) u) as users,
      (select coalesce(json_agg(l), '[]')
       from (select user_id, p.name as provider, group_state as state, groups
             from identity_link l join identity_provider p on p.tenant_id = $1 and p.id = l.identity_provider_id
             where l.tenant_id = $1) l) as links,
      (select json_build_object('version', version, 'document', document)
       from group_mapping join group_mapping_version using (tenant_id, version) where tenant_id = $1) as mapping`,
};

export async function readStored({ pool }: Database, tenantId: string): Promise<Stored> {
  const { rows } = await pool.query<Stored>(STORED, [tenantId]);
  return rows[0] as Stored;
}

/** What differs between what is stored and what the oracle says; undefined: nothing. */
export function differenceFrom(stored: Stored, state: State): object | undefined {
  const names = new Map(Object.entries(state.users).map(([user, { id }]) => [id, user]));
  const wanted = {
    users: Object.entries(state.users)
      .map(([user, { id, directory, active }]) => personAsText({ id, name: user, directory, active }))
      .sort(),
    links: state.links.map(linkAsText).sort(),
    teams: Object.values(state.teams)
      .map(({ kind, name }) => `${kind} ${name}`)
      .sort(),
    grants: desired(state).map(asText).sort(),
    mapping: mappingOf(state.versions.length, currentMapping(state)),
  };
  const found = {
    users: stored.users.map(personAsText).sort(),
    links: stored.links
      .map(({ user_id, ...link }) => linkAsText({ ...link, user: names.get(user_id) ?? user_id }))
      .sort(),
    teams: stored.teams.map(({ kind, name }) => `${kind} ${name}`).sort(),
    grants: storedGrants(stored, state).map(asText).sort(),
    mapping: mappingOf(stored.mapping?.version ?? 0, stored.mapping?.document),
  };
  return isDeepStrictEqual(found, wanted) ? undefined : { found, wanted };
}

const personAsText = ({ id, name, directory, active }: Stored['users'][number]) =>
  `${id} ${name} of ${directory ?? 'nobody'}${active ? '' : ', not active'}`;

const linkAsText = ({ user, provider, state, groups }: State['links'][number]) =>
  `${user} by ${provider}: ${state} ${groups}`;

const mappingOf = (version: number, document: object | undefined) => ({
  version,
  document: document ?? null,
});

/** What is stored of each grant, with the oracle's names of users and targets. */
function storedGrants(stored: Stored, state: State): Omit<Grant, 'precedence'>[] {
  const users = new Map(Object.entries(state.users).map(([user, { id }]) => [id, user]));
  const targets = new Map<string, string>([
    [NIL, OWNER],
    ...stored.permissions.map(({ id, name }): [string, string] => [id, `permission:${name}`]),
    ...stored.teams.map((team): [string, string] => [
      team.id,
      teamKey(state, { kind: team.kind, name: team.name }) ?? team.name,
    ]),
  ]);
  return stored.grants.map(({ user_id, target_id, origin, role, suspended }) => ({
    user: users.get(user_id) ?? user_id,
    target: targets.get(target_id) ?? target_id,
    origin,
    role,
    suspended,
  }));
}

/**
 * Grants that say the same before and after a change, and that the change touched all the same. Their place among the
 * mapping's rows is not said; it decides, and may be all that is written, where several providers give to one user.
 */
export function touchedInVain(before: Stored, after: Stored): StoredGrant[] {
  const asIs = ({ precedence: _, since: __, change_id: ___, ...says }: StoredGrant) => JSON.stringify(says);
  const were = new Map(before.grants.map((grant) => [asIs(grant), grant]));
  const providers = (user: string) => after.links.filter((link) => link.user_id === user).length;
  return after.grants.filter((grant) => {
    const was = were.get(asIs(grant));
    if (was === undefined || isDeepStrictEqual(was, grant)) return false;
    return was.precedence === grant.precedence || providers(grant.user_id) < 2;
  });
}

const asText = ({ user, target, origin, role, suspended }: Omit<Grant, 'precedence'>) =>
  `${user}: ${target} ${role ?? ''} by ${origin}${suspended ? ', suspended' : ''}`;
