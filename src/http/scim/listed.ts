import type { ListedRow } from '../../directory/page-sql.ts';
import type { UserRow } from '../../directory/users.ts';
import { type Projection, project } from '../../scim/project.ts';
import type { JsonObject, Resource, ResourceType } from '../../scim/types.ts';
import { entityTag, groupText, locationOf, userText } from './answer.ts';

/** A row of a list as JSON text, as the endpoint of its type gives it. */
export function listedText(
  row: ListedRow,
  type: ResourceType,
  baseUrl: string,
  projection: Projection,
): string {
  switch (type.name) {
    case 'User':
      return userText({ ...storedOf(row), active: row.active, groups: row.related }, baseUrl, projection);
    case 'Group':
      return groupText({ ...storedOf(row), members: row.related }, baseUrl, projection);
    case 'Role':
    case 'Entitlement':
      return catalogueText(row, type, baseUrl, projection);
  }
}

type Stored = Pick<UserRow, 'id' | 'version' | 'created_at' | 'updated_at' | 'body'>;

/** What a User and a Group both have, of whom none of it is null; a copy of the whole row would take as long as its text. */
function storedOf({ key: id, version, created_at, updated_at, body }: ListedRow): Stored {
  return { id, version, created_at, updated_at, body } as Stored;
}

/** A Role or an Entitlement: small, so it is put together anew. */
function catalogueText(row: ListedRow, type: ResourceType, baseUrl: string, projection: Projection): string {
  const meta: JsonObject = {
    resourceType: type.name,
    ...(row.created_at && { created: row.created_at }),
    ...(row.updated_at && { lastModified: row.updated_at }),
    location: locationOf(baseUrl, type, row.key),
    ...(row.version !== null && { version: entityTag({ version: row.version }) }),
  };
  const resource: Resource = { id: row.key, ...(JSON.parse(row.body) as Resource), meta };
  return JSON.stringify(project(resource, projection));
}
