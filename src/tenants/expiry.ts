import { AppError } from '../errors.ts';

/** The last moment that RFC 3339 can write: its years have four digits. */
const LAST = new Date('9999-12-31T23:59:59.999Z');

/** Checks the end that was asked for a key's life: a key that is dead from its birth helps nobody. */
export function checkExpiry(expiresAt: Date | null, now: Date): void {
  if (expiresAt === null) return;
  // Not "later than": a leap second is a moment to RFC 3339, and to Date not even a number.
  if (!(expiresAt <= LAST)) {
    throw new AppError('invalid_request', 'expiresAt is no moment that can be kept', {
      pointer: '/expiresAt',
      hint: 'Use the form 2030-12-31T23:59:59Z, up to the year 9999, without a leap second.',
    });
  }
  if (expiresAt > now) return;
  throw new AppError('invalid_request', 'expiresAt must lie in the future', {
    pointer: '/expiresAt',
    hint: `It is now ${now.toISOString()}. Leave expiresAt out for a key that does not expire.`,
  });
}

/** When a key ends that lives for so many milliseconds. */
export function expiryAfter(milliseconds: number, now: Date): Date {
  return new Date(Math.min(now.getTime() + milliseconds, LAST.getTime()));
}
