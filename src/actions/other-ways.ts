import type { TenantSettings } from '../context.ts';
import type { Step } from '../db/statement.ts';
import { type Occasion, recordStep } from '../events/record.ts';
import { MANUAL } from '../reconcile/grants.ts';
import type { Edit } from '../reconcile/reconcile.ts';
import type { Acceptance } from '../tenants/invitations.ts';
import type { OtherWays } from '../tenants/other-ways.ts';
import type { ShownGrant } from '../tenants/team-grants.ts';

/**
 * How people come in besides the group mapping, in this order: invitation, the mapping, the domain of their e-mail
 * address, the identity provider's default team. Each is an origin of its own; of those that give one team a managed
 * grant holds (`firstGrant`). None of them makes an owner: they give teams and nothing else.
 */

type Provisioning = TenantSettings['provisioning'];

/** What was read, and what counts of it. */
export interface Doors {
  /** Without the ways that are not open to this person. */
  readonly ways: OtherWays;
  /** Whether an invitation, or the rule of a domain, only waits for the address to be verified. */
  readonly waiting: { readonly invitation: boolean; readonly domain: boolean };
  /** Whether the address is verified, its domain proved, and not another provider's. */
  readonly domainVerified: boolean;
}

/** An address that is not verified opens nothing, and one whose domain is another provider's opens nothing here. */
export function doorsOf(ways: OtherWays, { emailVerified }: { readonly emailVerified: boolean }): Doors {
  const isElsewhere = ways.domain?.bound === 'elsewhere';
  const isUnverified = !emailVerified && !isElsewhere;
  const waiting = {
    invitation: isUnverified && ways.invitation !== null,
    domain: isUnverified && opensByDomain(ways),
  };
  if (emailVerified && !isElsewhere) return { ways, waiting, domainVerified: ways.domain !== null };
  return {
    ways: { ...ways, invitation: null, domain: null },
    waiting,
    domainVerified: false,
  };
}

/**
 * Whether somebody unknown may be created because of an invitation or of their domain, whatever the identity
 * provider's JIT switch says: that switch is about what an assertion alone may do, and these two are switches of their
 * own that an admin has set for this very person, or for their domain. Where SCIM alone provisions they open nothing.
 */
export function opened({ ways }: Doors, provisioning: Provisioning) {
  const isOpen = provisioning !== 'scim';
  return { invited: isOpen && ways.invitation !== null, domainOpens: isOpen && opensByDomain(ways) };
}

/** A domain whose people sign in by an identity provider is that provider's: whom it lets in its JIT switch says. */
function opensByDomain({ domain }: OtherWays): boolean {
  return domain?.jit === true && domain.bound === null;
}

/** Who signs in, as the transaction finds or makes them. */
export interface Arrival {
  readonly userId: string;
  /** Whether this sign-in creates the user. */
  readonly isNew: boolean;
  /** Whether a directory manages the user: then its groups alone say what they hold. */
  readonly isManaged: boolean;
}

export interface Arrived {
  readonly edits: readonly Edit[];
  /** The invitation that is accepted by it. */
  readonly invitationId: string | null;
}

/** What somebody gets by the other ways when they sign in. One team is given by the first way that has it. */
export function waysIn(
  ways: OtherWays,
  { userId, isNew, isManaged }: Arrival,
  provisioning: Provisioning,
): Arrived {
  if (isManaged) return { edits: [], invitationId: null };
  const { invitation, domain, defaultTeam } = ways;
  const byDomain = isNew && provisioning !== 'scim' && opensByDomain(ways);
  const all = [
    ...grantEdits(userId, 'invitation', invitation?.grants ?? []),
    ...grantEdits(userId, 'email_domain', byDomain ? (domain?.grants ?? []) : []),
    ...grantEdits(userId, MANUAL, isNew && defaultTeam !== null ? [defaultTeam] : []),
  ];
  const first = new Map(all.toReversed().map((edit) => [edit.targetId, edit]));
  return {
    edits: all.filter((edit) => first.get(edit.targetId) === edit),
    invitationId: invitation?.id ?? null,
  };
}

/** Edits by which the user holds these teams. */
export function grantEdits(
  userId: string,
  origin: Edit['origin'],
  grants: readonly ShownGrant[],
): readonly Edit[] {
  return grants.map(({ team, role }) => ({ userId, targetId: team.id, origin, role, held: true }));
}

/** The event of an invitation that was accepted, beside those of what it gave. */
export function acceptanceTold(occasion: Occasion, { invitationId, userId }: Acceptance): Step {
  return recordStep(occasion, [
    {
      type: 'invitation.accepted',
      resourceType: 'Invitation',
      resourceId: invitationId,
      before: { state: 'pending' },
      after: { state: 'accepted', userId },
    },
  ]);
}
