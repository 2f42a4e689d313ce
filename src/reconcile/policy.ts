import { AppError } from '../errors.ts';
import type { Plan } from './plan.ts';

/** What a plan is judged by before it is applied. */
export interface Judgement {
  /** Memberships that are managed now. */
  readonly managed: number;
  /** The digest of the plan that was reviewed; undefined: none was. */
  readonly expectDigest?: string | undefined;
  /** How many losses were confirmed; undefined: none. */
  readonly confirm?: number | undefined;
}

/** So many memberships may always go; of many, this part of them. */
const FEW_REMOVALS = 10;
const REMOVALS_PART = 0.1;

/** What somebody loses by a plan: memberships, now or at the next sign-in, and ownership. */
export function lossesOf({ remove, removeAtNextSignIn, owners }: Plan): number {
  return remove + removeAtNextSignIn + owners.lost.length;
}

/** Whether a plan takes so much away that somebody has to say that this is meant. */
export function needsConfirmation(plan: Plan, managed: number): boolean {
  const removals = plan.remove + plan.removeAtNextSignIn;
  return removals > Math.max(FEW_REMOVALS, managed * REMOVALS_PART) || plan.owners.lost.length > 0;
}

/**
 * Refuses a plan that is not the one that was reviewed, or takes away more than was confirmed.
 * @throws AppError `conflict`: `plan_changed`, or `confirm_required` with the number as `confirm`.
 */
export function judge(plan: Plan, { managed, expectDigest, confirm }: Judgement): void {
  if (expectDigest !== undefined && expectDigest !== plan.digest) {
    throw new AppError('conflict', 'The plan is not the one that was reviewed any more', {
      reason: 'plan_changed',
      hint: 'Ask for a dry run, review it, and repeat the request with its digest.',
      members: { digest: plan.digest },
    });
  }
  const losses = lossesOf(plan);
  if (!needsConfirmation(plan, managed) || confirm === losses) return;
  const owners = plan.owners.lost.length;
  throw new AppError(
    'conflict',
    `This takes away ${losses - owners} of ${managed} managed memberships and the ownership of ${owners} users`,
    {
      reason: 'confirm_required',
      hint: `If that is meant, repeat the request with confirm=${losses}. A dry run lists who loses what.`,
      members: { confirm: losses },
    },
  );
}
