import pg from 'pg';
import { AppError } from '../errors.ts';

/** The unique constraints that a caller can run into; their names are part of `migrations/`. */
export type UniqueConstraint =
  | 'tenant_name_key'
  | 'directory_name_key'
  | 'scim_user_user_name_key'
  | 'scim_group_display_name_key'
  | 'team_name_key'
  | 'role_pkey'
  | 'role_rank_key'
  | 'permission_name_key'
  | 'scim_user_product_user_id_key'
  | 'identity_provider_name_key'
  | 'identity_link_pkey'
  | 'identity_link_user_key'
  | 'domain_pkey'
  | 'invitation_email_key';

/** Whether `error` is the violation of this unique constraint. */
export function violates(error: unknown, constraint: UniqueConstraint): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505' && error.constraint === constraint;
}

/** Broken when what a row is about went away between a look at it and the write; a next look finds that out. */
const WENT_AWAY = new Set([
  'group_member_user_exists',
  'tolerance_use_key_exists',
  'refused_request_tenant_exists',
]);

/**
 * Whether the transaction may simply run again: PostgreSQL broke it off in favour of another, or what it is about
 * went away, and the next run finds that out in an orderly way.
 */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  return error.code === '40001' || error.code === '40P01' || WENT_AWAY.has(error.constraint ?? '');
}

/** Broken when the directory or the tenant of a key was deleted while the key was still remembered. */
const GONE = new Set([
  'scim_user_tenant_exists',
  'scim_user_directory_exists',
  'scim_group_directory_exists',
]);

/** Whether a key's write failed because what the key belongs to was deleted. */
export function isOfDeletedDirectory(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23503' && GONE.has(error.constraint ?? '');
}

/** Whether a write was planned on another version of the tenant's schema (`migrations/0009_schema_version.sql`). */
function isOfOldSchema(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === 'RC001';
}

/** Whether a statement ran into its `statement_timeout`. */
export function isTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '57014';
}

/**
 * SQLSTATEs by which the server says "not now": connection failures (08), shut-down and start-up (57P),
 * resources (53), lock and statement time-outs, and what a deadlock leaves after the last attempt (40).
 */
const NOT_NOW = /^(08...|57P0[1-5]|53...|55P03|57014|25P03|40001|40P01)$/;

/** Whether PostgreSQL has refused the transaction, so that nothing of it was written; a connection that broke says neither. */
export function isRolledBack(error: unknown): boolean {
  return error instanceof pg.DatabaseError && !/^(08|57P)/.test(error.code ?? '08');
}

/** System and driver errors of a server that is away: refused, reset, no socket file, no free connection. */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const AWAY_MESSAGE =
  /connection terminated|timeout exceeded when trying to connect|query read timeout|not queryable|pool after calling end/i;

/**
 * Input that PostgreSQL refuses (data exceptions, and what exceeds its limits). The door should have refused it
 * first, in better words.
 */
const UNFIT = /^(22|54)/;

/** What an error of the database means to a caller; undefined: nothing that a caller could know. */
export function databaseRefusal(error: unknown): AppError | undefined {
  if (error instanceof pg.DatabaseError && UNFIT.test(error.code ?? '')) {
    return new AppError('invalid_request', 'A value of this request cannot be stored or compared', {
      cause: error,
    });
  }
  if (isOfOldSchema(error)) {
    return new AppError('unavailable', 'The schema of this tenant has just changed', {
      reason: 'schema_changed',
      hint: 'Nothing was written. Repeat the request after the seconds in Retry-After.',
      cause: error,
    });
  }
  if (error instanceof pg.DatabaseError && error.code === '55P03') {
    return new AppError('unavailable', 'Another change of this tenant is being made, and takes its time', {
      reason: 'busy',
      hint: 'Nothing was written. Repeat the request after the seconds in Retry-After.',
      cause: error,
    });
  }
  return unavailable(error);
}

/** The refusal for a database that cannot answer now. */
function unavailable(error: unknown): AppError | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const away =
    error instanceof pg.DatabaseError
      ? NOT_NOW.test(code)
      : AWAY.has(code) || AWAY_MESSAGE.test(error.message);
  if (!away) return undefined;
  return new AppError('unavailable', 'The database cannot answer at the moment', {
    hint: 'Nothing is lost that was acknowledged. Repeat the request after the seconds in Retry-After.',
    cause: error,
  });
}
