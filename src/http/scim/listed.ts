import type { GroupRow } from '../../directory/groups.ts';
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
      return userText({ ...row, id: row.key, groups: row.related } as UserRow, baseUrl, projection);
    case 'Group':
      return groupText({ ...row, id: row.key, members: row.related } as GroupRow, baseUrl, projection);
    case 'Role':
    case 'Entitlement':
      return catalogueText(row, type, baseUrl, projection);
  }
}

/** A Role or an Entitlement: small, so it is put together anew. */
function catalogueText(row: ListedRow, type: ResourceType, baseUrl: string, projection: Projection): string {
  const meta: JsonObject = {
    resourceType: type.name,
    ...(row.created_at && { created: row.created_at.toISOString() }),
    ...(row.updated_at && { lastModified: row.updated_at.toISOString() }),
    location: locationOf(baseUrl, type, row.key),
    ...(row.version !== null && { version: entityTag({ version: row.version }) }),
  };
  const resource: Resource = { id: row.key, ...(JSON.parse(row.body) as Resource), meta };
  return JSON.stringify(project(resource, projection));
}
