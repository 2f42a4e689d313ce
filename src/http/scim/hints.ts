import type { ScimType } from '../../scim/error.ts';
import type { EndedKey } from '../../tenants/authenticate.ts';

/** What a refusal says that has no hint of its own. */
export interface Unhinted {
  readonly status: number;
  readonly scimType: ScimType | undefined;
  readonly method: string;
  /** Undefined: nothing is at this path. */
  readonly route: string | undefined;
  readonly ended: EndedKey | undefined;
}

/** What the admin of an identity provider can do, in its words. */
export function hintFor({ status, scimType, method, route, ended }: Unhinted): string {
  if (ended) return ENDED[ended.because];
  if (status === 404 && route === undefined) return UNKNOWN_ENDPOINT;
  if (status === 404 && method !== 'GET') return WRITTEN_404;
  return (
    HINTS[`${status} ${scimType}`] ??
    HINTS[status] ??
    (status >= 500 ? HINTS[500] : undefined) ??
    'Compare the request that the detail speaks of with RFC 7644; the request id finds it in the log.'
  );
}

const NEW_KEY =
  'Issue a new key of the same directory and paste it into the connector ' +
  '(Okta: Provisioning, Integration; Entra ID: Provisioning, Admin Credentials, Secret Token).';
const ENDED: Readonly<Record<EndedKey['because'], string>> = {
  expired: `The key of this connector has expired. ${NEW_KEY}`,
  revoked: `The key of this connector was revoked. ${NEW_KEY}`,
};

const UNKNOWN_ENDPOINT =
  'Nothing is at this path. Check the base URL in the connector: it ends in /api/scim/v2, with nothing behind it.';

const WRITTEN_404 =
  'The identity provider holds an id that is not here: the resource was deleted, or belongs to another directory ' +
  'than this key. Okta: unassign and assign the person, or unlink and push the group again. Entra ID: restart ' +
  'provisioning, which makes it look up everybody anew.';

const RESTART = 'Nothing to do where it does not repeat: the identity provider tries again by itself.';

/** By status, or by status and scimType. */
const HINTS: Readonly<Record<string, string>> = {
  '400 invalidFilter':
    'The connector searches by something that is not here or cannot be read. Match users on userName, externalId or ' +
    'an e-mail address, and groups on displayName.',
  '400 invalidPath':
    'The attribute mapping of the connector names an attribute that /Schemas does not list. Remove the mapping, or ' +
    'correct its target.',
  '400 invalidSyntax':
    'The request is not in the form of SCIM 2.0. Check that the connector speaks SCIM 2.0, and its body where it is ' +
    'made from a template.',
  '400 invalidValue':
    'A value does not fit its attribute, or a required one is missing. Correct it in the profile at the identity ' +
    'provider, or correct the attribute mapping of the connector.',
  '400 mutability':
    'The attribute mapping of the connector writes what only this service sets, or takes away what is required. ' +
    'Remove that mapping.',
  '400 noTarget':
    'The operation changes a value that is not there. Start provisioning of this person or group again, so that the ' +
    'identity provider writes the whole of it.',
  '400 tooMany': 'Too much was found. Ask for less, by a filter.',
  '400 uniqueness': 'The value is taken already. Give each person and each group its own.',
  '400 invalidVers': 'This service speaks version 2 of SCIM: the base URL ends in /api/scim/v2.',
  '400 invalidCursor': 'Start the listing again, from its first page.',
  '400 expiredCursor': 'The pages were asked for too slowly. Start the listing again, from its first page.',
  '400 invalidCount': 'Set the page size of the connector to 1,000 at most, and keep it through a listing.',
  '403 sensitive':
    'Nothing is searched for by a password. Match users on userName, externalId or an e-mail address.',
  '400': 'The request was broken on its way, or is not HTTP as it should be. Look at what stands between.',
  '401': `The key of this connector does not hold any more. ${NEW_KEY}`,
  '403':
    'The key may not do this. Look at its scopes and its directory, and at the tenant setting "provisioning"; ' +
    'discovery endpoints cannot be filtered.',
  '404':
    'What the identity provider asks for is not here, or belongs to another directory than this key. It creates it ' +
    'anew when its assignment is renewed.',
  '405': 'The connector asks for something that this endpoint does not do. Switch that feature off there.',
  '408': `The request came too slowly. ${RESTART}`,
  '409 uniqueness':
    'Someone with this userName, or a group with this displayName, exists already. Let the connector match instead ' +
    'of create: in Okta import the users and confirm the match on userName, in Entra ID make userName the matching ' +
    'attribute. Where the other one belongs to another directory, give one of them another name.',
  '409': `Another change came between. ${RESTART}`,
  '412': `The resource has changed since the client read it. ${RESTART}`,
  '413': 'The body is too large. Push large groups as changes of their members, or in several requests.',
  '414': 'The path is too long to hold an id. Check what the connector puts behind /Users/ and /Groups/.',
  '415': 'Let the connector send its bodies as application/scim+json or application/json.',
  '431': 'The filter is too long for a URL. Send it in the body, by POST to /.search.',
  '500': 'A fault of this service. Give the request id to whoever runs it: the log knows more.',
  '501': 'This service does not offer that. Switch the feature off in the connector.',
  '503': `The database could not answer. ${RESTART}`,
};
