import type { Facts } from '../assertions/types.ts';
import { type Step, statement, step } from '../db/statement.ts';
import { foldText } from '../scim/fold.ts';
import { emailHash } from './lookup.ts';
import type { Found, Person } from './who-signs-in.ts';

/** A sign-in as statements look for it. */
export interface Subject {
  readonly tenantId: string;
  /** Id. */
  readonly identityProviderId: string;
  readonly facts: Facts;
}

/** Of each kind of match so many are read: from the second on it does not matter how many there are. */
const MOST = 3;

const peopleStatement = statement<Person>(
  'people_of_sign_in',
  `with link as (
     select user_id from identity_link where tenant_id = $1 and identity_provider_id = $2 and subject = $3
   ), candidate as (
     select 'link' as how, user_id as id from link
     union all
     (select 'externalId', id from scim_user
      where tenant_id = $1 and external_id = $7 and directory_id is not null and not exists (select from link)
      order by id limit ${MOST})
     union all
     select 'userName', id from scim_user
     where tenant_id = $1 and user_name_folded = any ($4::text[]) and not exists (select from link)
     union all
     (select 'email', u.id from scim_user u
      where u.tenant_id = $1 and u.lookup @> array[$5::bigint] and not exists (select from link)
        and exists (select from jsonb_array_elements(u.search -> 'emails') as e where e ->> 'value' = $6)
      order by u.id limit ${MOST})
   )
   select c.how, u.id, u.version, coalesce(u.active, false) as active, u.directory_id is not null as managed,
          u.user_name_folded as "userNameFolded", u.external_id as "externalId", d.name as directory, l.subject,
          case c.how when 'link' then l.proof end as proof,
          exists (select from access_grant g
                  where g.tenant_id = $1 and g.target_id = '00000000-0000-0000-0000-000000000000' and g.user_id = u.id)
            as owner
   from candidate c
   join scim_user u on u.tenant_id = $1 and u.id = c.id
   left join directory d on d.tenant_id = $1 and d.id = u.directory_id
   left join identity_link l on l.tenant_id = $1 and l.identity_provider_id = $2 and l.user_id = u.id
   order by c.how, u.id`,
);

/** Whom a sign-in may mean. Where the subject is linked nobody else is looked for. */
export function peopleOf({ tenantId, identityProviderId, facts }: Subject): Step<Person> {
  const { subject, email, externalId } = facts;
  const folded = email === null ? null : foldText(email);
  const hash = folded === null ? null : emailHash(tenantId, folded);
  const found = [foldedNames(facts), hash, folded, externalId];
  return step(peopleStatement, [tenantId, identityProviderId, subject, ...found]);
}

const obstaclesStatement = statement<Omit<Found, 'people'>>(
  'obstacles_of_sign_in',
  `select (select user_id from tombstone where tenant_id = $1 and key = any ($4::text[]) limit 1) as "deletedIdentity",
          (select user_id from tombstone where tenant_id = $1 and key = any ($5::text[]) limit 1) as "deletedName",
          exists (select from sign_in_conflict
                  where tenant_id = $1 and identity_provider_id = $2 and subject = $3 and state = 'rejected') as rejected`,
);

/** What stands against somebody whom nobody knows yet. */
export function obstaclesOf({ tenantId, identityProviderId, facts }: Subject): Step<Omit<Found, 'people'>> {
  const { subject, externalId } = facts;
  const identity = [`subject:${identityProviderId}:${subject}`, `externalId:${externalId}`];
  const names = foldedNames(facts).flatMap((name) => [`userName:${name}`, `email:${name}`]);
  return step(obstaclesStatement, [tenantId, identityProviderId, subject, identity, names]);
}

/** What the person may be called, by the identity provider or by whoever provisions them. */
function foldedNames(facts: Facts): string[] {
  const { userName, userNames, email } = facts;
  return [...new Set([...userNames, ...(email === null ? [] : [email]), userName].map(foldText))];
}
