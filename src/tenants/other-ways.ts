import { type Step, statement, step } from '../db/statement.ts';
import { foldText } from '../scim/fold.ts';
import { domainOfEmail } from './domain-name.ts';
import { type ShownGrant, shownGrants } from './team-grants.ts';

/** What else than groups a person who signs in may get something by, as the tenant has it on record. */
export interface OtherWays {
  /** The pending invitation of their address. */
  readonly invitation: { readonly id: string; readonly grants: readonly ShownGrant[] } | null;
  /** The domain of their address, where it is the tenant's, verified. */
  readonly domain: {
    readonly jit: boolean;
    /** Whether its people sign in by an identity provider: by this one, or by another. */
    readonly bound: 'here' | 'elsewhere' | null;
    readonly grants: readonly ShownGrant[];
  } | null;
  /** What the identity provider gives the newly created. */
  readonly defaultTeam: ShownGrant | null;
}

const otherWaysStatement = statement<OtherWays>(
  'other_ways',
  `select (
       select jsonb_build_object('id', i.id, 'grants', ${shownGrants('i')})
       from invitation i
       where i.tenant_id = $1 and i.email_folded = $2 and i.state = 'pending' and i.expires_at > $4
     ) as invitation, (
       select jsonb_build_object('jit', d.jit, 'grants', ${shownGrants('d')}, 'bound', (
                select case b.identity_provider_id when $5 then 'here' else 'elsewhere' end
                from identity_provider_domain b where b.tenant_id = $1 and b.domain = d.name))
       from domain d where d.tenant_id = $1 and d.name = $3 and d.verified_at is not null
     ) as domain, (
       select jsonb_build_object('team', jsonb_build_object('id', t.id, 'name', t.name, 'kind', t.kind),
                                 'role', p.default_role)
       from identity_provider p join team t on t.tenant_id = $1 and t.id = p.default_team_id
       where p.tenant_id = $1 and p.id = $5
     ) as "defaultTeam"`,
);

export interface WaysOf {
  readonly email: string | null;
  readonly identityProviderId: string;
}

/** One row. To be read again behind `lockInvitation` by whoever relies on it. */
export function readOtherWays(
  tenantId: string,
  { email, identityProviderId }: WaysOf,
  now: Date,
): Step<OtherWays> {
  const folded = email === null ? null : foldText(email);
  const domain = email === null ? null : (domainOfEmail(email) ?? null);
  return step(otherWaysStatement, [tenantId, folded, domain, now, identityProviderId]);
}
