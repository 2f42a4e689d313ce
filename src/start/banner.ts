import { FIRST_TENANT } from './first-tenant.ts';

export interface BannerOptions {
  publicUrl: string;
  /** Known at the first start only. */
  scimKey: string | undefined;
  /** What a shell replaces by the operator key. */
  operatorKey: string;
}

const user = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName: 'ada@example.com',
  name: { givenName: 'Ada', familyName: 'Lovelace' },
  emails: [{ value: 'ada@example.com', type: 'work', primary: true }],
};

/** What the start says to the person at the terminal. Its `curl` lines work as they are when pasted. */
export function banner(options: BannerOptions): string {
  const baseUrl = `${options.publicUrl}/api/scim/v2`;
  const lines = options.scimKey === undefined ? anotherKey(options) : firstSteps(baseUrl, options.scimKey);
  return ['', `Rollcall is ready. SCIM base URL: ${baseUrl}`, ...lines, '', ''].join('\n');
}

function firstSteps(baseUrl: string, key: string): string[] {
  const credential = `-H 'Authorization: Bearer ${key}'`;
  return [
    `API key, shown only now: ${key}`,
    '',
    'Provision a user:',
    `  curl -sS ${credential} -H 'Content-Type: application/scim+json' -d '${JSON.stringify(user)}' '${baseUrl}/Users'`,
    'Read it back:',
    `  curl -sS ${credential} '${baseUrl}/Users?filter=${encodeURIComponent(`userName eq "${user.userName}"`)}'`,
  ];
}

function anotherKey({ publicUrl, operatorKey }: BannerOptions): string[] {
  const body = JSON.stringify({ name: 'Another key', scopes: ['scim'] });
  return [
    'The API key was shown at the first start. Another one:',
    `  curl -sS -H "Authorization: Bearer ${operatorKey}" -H 'Content-Type: application/json' -d '${body}' ` +
      `'${publicUrl}/api/admin/v1/tenants/${FIRST_TENANT}/api-keys'`,
  ];
}
