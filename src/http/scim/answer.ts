import { hash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { GroupRow } from '../../directory/groups.ts';
import { userResource } from '../../directory/user-columns.ts';
import type { UserRow } from '../../directory/users.ts';
import { type Projection, project } from '../../scim/project.ts';
import { GROUP_TYPE, USER_TYPE } from '../../scim/resource-types.ts';
import type { JsonObject, Resource, ResourceType } from '../../scim/types.ts';
import { sendScim } from './media-type.ts';

/**
 * Resources as answers. The stored text is sent as it is, with what lies in columns spliced in; only a
 * projection takes it apart.
 */

/** What the entity tag of an answer follows. */
export interface Tagged {
  readonly version: number;
  /** A user's groups as they are shown; null: none are. */
  readonly groups?: string | null;
}

/**
 * The weak entity tag of an answer (RFC 7644 section 3.14): the version and, because a user's groups lie outside of
 * it, a digest of those that are shown.
 */
export function entityTag({ version, groups = null }: Tagged): string {
  if (groups === null) return `W/"${version}"`;
  return `W/"${version}.${hash('sha256', groups, 'base64url').slice(0, 11)}"`;
}

/** The URL of a resource. */
export function locationOf(baseUrl: string, type: ResourceType, id: string): string {
  return `${baseUrl}${type.endpoint}/${id}`;
}

/** What a User is shown from. */
type ShownUser = Omit<UserRow, 'managed'>;

/** A User as JSON text. */
export function userText(row: ShownUser, baseUrl: string, projection: Projection): string {
  const groups = groupsOf(row, baseUrl);
  if (!projection.whole) {
    const resource = {
      ...userResource(row),
      id: row.id,
      ...(groups && { groups }),
      meta: meta(row, USER_TYPE, baseUrl),
    };
    return JSON.stringify(project(resource, projection));
  }
  const active = row.active === null ? '' : `,"active":${row.active}`;
  return splice(row, USER_TYPE, baseUrl, `${active}${groups ? `,"groups":${JSON.stringify(groups)}` : ''}`);
}

/** A Group as JSON text. */
export function groupText(row: GroupRow, baseUrl: string, projection: Projection): string {
  const members = membersText(row, baseUrl);
  if (projection.whole) return splice(row, GROUP_TYPE, baseUrl, members ? `,"members":${members}` : '');
  const resource: Resource = {
    ...(JSON.parse(row.body) as Resource),
    id: row.id,
    meta: meta(row, GROUP_TYPE, baseUrl),
  };
  if (members) resource.members = JSON.parse(members);
  return JSON.stringify(project(resource, projection));
}

type Row = Pick<UserRow, 'id' | 'created_at' | 'updated_at' | 'body'> & Tagged;

function splice(row: Row, type: ResourceType, baseUrl: string, spliced: string): string {
  return `{"id":"${row.id}",${row.body.slice(1, -1)}${spliced},"meta":${JSON.stringify(meta(row, type, baseUrl))}}`;
}

function meta(row: Row, type: ResourceType, baseUrl: string): JsonObject {
  return {
    resourceType: type.name,
    created: row.created_at,
    lastModified: row.updated_at,
    location: locationOf(baseUrl, type, row.id),
    version: entityTag(row),
  };
}

function groupsOf({ groups }: ShownUser, baseUrl: string): JsonObject[] | undefined {
  if (groups === null) return undefined;
  return (JSON.parse(`[${groups}]`) as { value: string; display: string }[]).map(({ value, display }) => ({
    value,
    $ref: locationOf(baseUrl, GROUP_TYPE, value),
    display,
    type: 'direct',
  }));
}

function membersText({ members }: GroupRow, baseUrl: string): string | undefined {
  if (members === null) return undefined;
  const location = JSON.stringify(`${baseUrl}${USER_TYPE.endpoint}/`).slice(0, -1);
  return `[${members
    .split(',')
    .map((id) => `{"value":"${id}","$ref":${location}${id}","type":"User"}`)
    .join()}]`;
}

/** Where an answer's resource is, and the tag of what is shown of it. */
export interface Identity {
  readonly tag: string;
  readonly location: string;
}

/** Sends one resource with the headers that name it and its version. */
export function sendResource(
  reply: FastifyReply,
  text: string,
  { status = 200, tag, location }: Identity & { readonly status?: 200 | 201 },
): FastifyReply {
  if (status === 201) reply.header('location', location);
  reply.code(status).header('content-location', location).header('etag', tag);
  return sendScim(reply, text);
}

/** Says that the client has this already, with the headers of the whole answer (RFC 9110 section 15.4.5). */
export function sendNotModified(reply: FastifyReply, { tag, location }: Identity): FastifyReply {
  return reply.code(304).header('content-location', location).header('etag', tag).send();
}

const TAGS = /(?:W\/)?"((\d{1,15})(?:\.[\w-]{11})?)"/g;

/** The versions that If-Match names; undefined: it is absent or `*`. A tag that is none of ours matches nothing. */
export function ifMatch(tags: string | undefined): number[] | undefined {
  if (tags === undefined || tags.trim() === '*') return undefined;
  return [...tags.matchAll(TAGS)].map(([, , version]) => Number(version));
}

/** Whether If-None-Match names this tag, so that the answer is 304 (RFC 9110 section 13.1.2: compared weakly). */
export function isNotModified(tags: string | undefined, tag: string): boolean {
  if (tags === undefined) return false;
  return tags.trim() === '*' || [...tags.matchAll(TAGS)].some(([, opaque]) => tag === `W/"${opaque}"`);
}
