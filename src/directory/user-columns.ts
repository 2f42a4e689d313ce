import type { ScimActor } from '../context.ts';
import { badRequest } from '../scim/error.ts';
import { foldText, searchDocument } from '../scim/fold.ts';
import type { Resource } from '../scim/types.ts';
import { lookupHashes } from './lookup.ts';

/** A User resource as the columns of `scim_user`. */
export interface UserColumns {
  readonly userNameFolded: string;
  readonly externalId: string | null;
  readonly active: boolean | null;
  /** JSON text without `id`, `active`, `groups` and `meta`. */
  readonly body: string;
  /** JSON text. */
  readonly search: string;
  /** A PostgreSQL array literal of bigints. */
  readonly lookup: string;
}

/** In UTF-16 units: NFKC makes up to 18 of one, and each term of a filter reads the whole. */
const MAX_SEARCH = 2_000_000;

/** Takes a validated User resource of the tenant apart into columns. Throws invalidValue for one too large. */
export function userColumns(
  { tenantId, types }: Pick<ScimActor, 'tenantId' | 'types'>,
  resource: Resource,
): UserColumns {
  const { active, ...body } = resource;
  const search = searchDocument(resource, types.User);
  const searchText = JSON.stringify(search);
  if (searchText.length > MAX_SEARCH) {
    throw badRequest(
      'invalidValue',
      `The user has more than ${MAX_SEARCH} characters in the form in which it is compared (NFKC): send shorter values`,
    );
  }
  return {
    userNameFolded: foldText(String(resource.userName)),
    externalId: typeof resource.externalId === 'string' ? resource.externalId : null,
    active: typeof active === 'boolean' ? active : null,
    body: JSON.stringify(body),
    search: searchText,
    lookup: `{${lookupHashes(tenantId, search).join()}}`,
  };
}

/** The User resource that a row holds: the inverse of `userColumns`. */
export function userResource({ body, active }: Pick<UserColumns, 'body' | 'active'>): Resource {
  return { ...(JSON.parse(body) as Resource), ...(active !== null && { active }) };
}
