import { isDeepStrictEqual } from 'node:util';
import { desired, effective, OWNER, type State } from '../oracle/reconcile.ts';
import { DOMAIN, PROVIDERS } from '../oracle/reconcile-arbitraries.ts';
import type { SignIn } from '../oracle/reconcile-sign-in.ts';
import type { Answer, TestApp } from './app.ts';
import { gatewayOf, makeProvider, type SignedInBody } from './gateway.ts';

/** A gateway by which the oracle's people sign in, and what it must be answered. */

/** Makes the identity providers, as they begin, and proves the domain of the people's addresses. */
export async function openGateway(app: TestApp, id: string) {
  for (const [name, jit] of Object.entries(PROVIDERS)) await makeProvider(app, id, { name, jit });
  await app.context.db.pool.query(
    `insert into domain (tenant_id, name, challenge, verified_at, verified_by, jit, grants, created_at)
     values ($1, $2, 'challenge', now(), 'operator', false, '[]', now())`,
    [id, DOMAIN],
  );
  const post = gatewayOf(app, (await app.apiKey({ id }, ['jit', 'jit:claims'])).key);
  return ({ user, provider, groups }: SignIn) =>
    post({ ...personOf(user), ...groupsOf(groups) }, { provider });
}

const personOf = (user: string) => ({ sub: `subject of ${user}`, email: user, email_verified: true });

function groupsOf(groups: SignIn['groups']): object {
  if (groups === 'absent') return {};
  return groups === 'overage' ? { hasgroups: true } : { groups };
}

/** Fails unless the answer says who came in, how, and what they hold then. */
export function requireAnswered(
  { user, provider }: SignIn,
  { before, after }: { readonly before: State; readonly after: State },
  { body, text }: Answer<SignedInBody>,
): void {
  const isLink = (link: SignIn | State['links'][number]) => link.user === user && link.provider === provider;
  const known = before.links.some(isLink);
  const wanted = {
    id: after.users[user]?.id,
    outcome: known ? 'known' : user in before.users ? 'linked' : 'created',
    groups: after.links.find(isLink)?.state,
    access: accessOf(after, user),
  };
  const { outcome, identityProviderGroups, access } = body;
  const found = {
    id: body.user.id,
    outcome: outcome === 'updated' || outcome === 'unchanged' ? 'known' : outcome,
    groups: identityProviderGroups.state,
    access: [
      ...(access.tenantOwner ? [OWNER] : []),
      ...access.permissions.map((name) => `permission:${name}`),
      ...access.teams.map(({ kind, name, role }) => `${kind} ${name} ${role}`),
    ].toSorted(),
  };
  if (isDeepStrictEqual(found, wanted)) return;
  throw new Error(`answered ${text}, not ${JSON.stringify(wanted)}`);
}

function accessOf(state: State, user: string): string[] {
  return effective(desired(state))
    .filter((grant) => grant.user === user)
    .map(({ target, role }) => {
      const team = state.teams[target];
      return team ? `${team.kind} ${team.name} ${role}` : target;
    })
    .toSorted();
}
