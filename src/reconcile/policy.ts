import { AppError } from '../errors.ts';
import type { Plan } from './plan.ts';

/** What a plan is judged by before it is applied. */
export interface Judgement {
  /** Memberships that are managed now. */
  readonly managed: number;
  /** How many users stop being owners. */
  readonly ownersLost: number;
  /** The digest of the plan that was reviewed; undefined: none was. */
  readonly expectDigest?: string | undefined;
  /** So many losses were confirmed, or fewer: beside an identity provider that pushes, they differ from one moment to the next. */
  readonly confirm?: number | undefined;
  /** How many users it keeps from signing in. */
  readonly shutOut?: number;
  /** How many links of users to an identity provider it ends. */
  readonly unlinked?: number;
}

/** So many memberships may always go; of many, this part of them. */
const FEW_REMOVALS = 10;
const REMOVALS_PART = 0.1;

/**
 * Refuses a plan that is not the one that was reviewed, or takes away more than was confirmed.
 * @throws AppError `conflict`: `plan_changed`, or `confirm_required` with the number as `confirm`.
 */
export function judge(
  plan: Plan,
  { managed, ownersLost, expectDigest, confirm, shutOut = 0, unlinked = 0 }: Judgement,
): void {
  if (expectDigest !== undefined && expectDigest !== plan.digest) {
    throw new AppError('conflict', 'The plan is not the one that was reviewed any more', {
      reason: 'plan_changed',
      hint: 'Ask for a dry run, review it, and repeat the request with its digest.',
      members: { digest: plan.digest },
    });
  }
  const removals = plan.remove + plan.removeAtNextSignIn;
  const others = ownersLost + shutOut + unlinked;
  const few = removals <= Math.max(FEW_REMOVALS, managed * REMOVALS_PART) && others === 0;
  const losses = removals + others;
  if (few || (confirm !== undefined && losses <= confirm)) return;
  throw new AppError(
    'conflict',
    `This takes away ${removals} of ${managed} managed memberships, the ownership of ${ownersLost} users, ` +
      `keeps ${shutOut} users from signing in, and ends ${unlinked} links of users to the identity provider`,
    {
      reason: 'confirm_required',
      hint:
        `If that is meant, repeat the request with confirm=${losses}, or more while others write. A dry run lists who loses what.` +
        (unlinked > 0
          ? ' If subjects name the same people as before, repeat it with links=keep instead.'
          : ''),
      members: { confirm: losses },
    },
  );
}
