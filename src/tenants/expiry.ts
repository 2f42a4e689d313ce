import { AppError } from '../errors.ts';

/** Checks the end that was asked for a key's life: a key that is dead from its birth helps nobody. */
export function checkExpiry(expiresAt: Date | null, now: Date): void {
  if (expiresAt === null || expiresAt > now) return;
  throw new AppError('invalid_request', 'expiresAt must lie in the future', {
    pointer: '/expiresAt',
    hint: `It is now ${now.toISOString()}. Leave expiresAt out for a key that does not expire.`,
  });
}
