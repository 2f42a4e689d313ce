import { type Client, type ErrorBody, USER } from './client.ts';

/** What the tests of /Bulk send and get. */

export const BULK_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
export const BULK_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse';

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly bulkId?: string;
  readonly version?: string;
  readonly data?: unknown;
}

export interface Result {
  readonly location?: string;
  readonly method?: string;
  readonly bulkId?: string;
  readonly version?: string;
  readonly status: string;
  readonly response?: ErrorBody;
}

export interface BulkResponse {
  readonly schemas: readonly string[];
  readonly Operations: readonly Result[];
}

/** Sends operations in one request. */
export const bulkOf =
  ({ ask }: Pick<Client, 'ask'>) =>
  (Operations: readonly unknown[], more: object = {}) =>
    ask<BulkResponse>('POST', '/Bulk', { schemas: [BULK_REQUEST], ...more, Operations });

/** The status of each result. */
export const statuses = ({ body }: { readonly body: BulkResponse }) =>
  body.Operations.map(({ status }) => status);

/** The id at the end of a location. */
export const idAt = (result: Result | undefined) => result?.location?.split('/').at(-1) ?? '';

/** The operation that creates a user. */
export const createUser = (bulkId: string, userName: string, more: object = {}): Operation => ({
  method: 'POST',
  path: '/Users',
  bulkId,
  data: { schemas: [USER], userName, ...more },
});
