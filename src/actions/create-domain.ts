import { randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { Actor, Context } from '../context.ts';
import { violates } from '../db/constraints.ts';
import { lockTenantShared } from '../db/locks.ts';
import { runIn, transaction } from '../db/transaction.ts';
import { AppError, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { domainName, isPublicMailDomain } from '../tenants/domain-name.ts';
import { countDomains, type Domain, domainIn, insertDomain, MAX_DOMAINS } from '../tenants/domains.ts';
import { tenantForUpdate } from '../tenants/tenants.ts';
import { type NamedGrant, readGrants } from './named-grants.ts';

export interface CreateDomain {
  readonly tenantId: string;
  /** In any case, and with letters of any alphabet. */
  readonly name: string;
  readonly jit?: boolean;
  readonly grants?: readonly NamedGrant[];
}

/**
 * Claims an e-mail domain for the tenant; it means nothing until it is verified. Several tenants may have one.
 * @throws AppError `invalid_request`: `not_a_domain`, `public_domain`, see `readGrants`; `conflict`: `name_taken`,
 * `too_many_domains`.
 */
export async function createDomain(
  context: Context,
  actor: Actor,
  { tenantId, name: text, jit = false, grants = [] }: CreateDomain,
): Promise<Domain> {
  const name = requireOwnable(text);
  const at = context.now();
  const challenge = randomBytes(24).toString('base64url');
  try {
    return await transaction(context.db, tenantId, async (trx) => {
      await runIn(trx, lockTenantShared(tenantId));
      // Holds the tenant's row alone, so that of two who add the last domain that there is room for, one is refused.
      if ((await tenantForUpdate(trx, tenantId)) === undefined) throw notFound('Tenant');
      if ((await countDomains(trx, tenantId)) >= MAX_DOMAINS) throw tooMany();
      const given = await readGrants(trx, tenantId, grants);
      await insertDomain(trx, tenantId, { name, challenge, jit, grants: given, createdAt: at });
      const domain = (await domainIn(trx, tenantId, name)) as Domain;
      await record(trx, { tenantId, actor, at, changeId: uuid() }, [
        { type: 'domain.created', resourceType: 'Domain', resourceId: null, after: domain },
      ]);
      return domain;
    });
  } catch (error) {
    throw violates(error, 'domain_pkey') ? nameTaken(name) : error;
  }
}

function requireOwnable(text: string): string {
  const name = domainName(text);
  if (name === undefined) {
    throw new AppError('invalid_request', `/name: "${text}" is no domain`, {
      reason: 'not_a_domain',
      pointer: '/name',
      hint: 'Send what stands behind the @, such as example.com: no wildcard, no address, at most 233 characters.',
    });
  }
  if (!isPublicMailDomain(name)) return name;
  throw new AppError('invalid_request', `/name: anybody can get an e-mail address of ${name}`, {
    reason: 'public_domain',
    pointer: '/name',
    hint: 'Invite people of this domain one by one.',
  });
}

function nameTaken(name: string): AppError {
  return new AppError('conflict', `The tenant has the domain ${name} already`, {
    reason: 'name_taken',
    pointer: '/name',
  });
}

function tooMany(): AppError {
  return new AppError('conflict', `The tenant has ${MAX_DOMAINS} domains, the most there can be`, {
    reason: 'too_many_domains',
    hint: 'Delete one that is not needed.',
  });
}
