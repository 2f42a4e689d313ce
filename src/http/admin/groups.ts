import Type from 'typebox';
import type { Context } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { type GroupPlace, type GroupSeen, groupsSeen } from '../../reconcile/groups-seen.ts';
import { DEFAULT_LIMIT, Id, nullable, ofTenant, pageQuery, problems, Timestamp } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';

const Group = Type.Unsafe<Omit<GroupSeen, 'place'>>(
  Type.Object({
    source: Type.String({ description: '`scim:<directory>`; of a claim `jit:<identity provider>`' }),
    id: nullable(Id),
    name: Type.String(),
    externalId: nullable(Type.String()),
    members: Type.Integer({ description: 'Of a claim: users who had it at their last sign-in' }),
    rows: Type.Array(Type.String(), {
      description: 'JSON pointers of the rows of the group mapping that name it, the first of them first',
    }),
    seenAt: { ...Timestamp, description: 'The last push that changed it; of a claim the last sign-in' },
  }),
);
const { limit } = pageQuery;

/** The groups that identity providers told of, with what the mapping makes of them. */
export function groupRoutes(scope: TypedScope, { db }: Context): void {
  scope.get(
    '/tenants/:tenant/groups',
    {
      schema: {
        tags: ['Group mapping'],
        operationId: 'listGroups',
        summary:
          'List the groups that identity providers told of: claims, then SCIM groups, by source and name',
        params: Type.Object(ofTenant),
        querystring: Type.Object(
          { limit, after: Type.Optional(Type.String({ description: 'The `next` of the page before' })) },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ groups: Type.Array(Group), next: Type.Optional(Type.String()) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query: { limit = DEFAULT_LIMIT, after } }) => {
      const page = { after: after === undefined ? BEGINNING : readPlace(after), limit: limit + 1 };
      const found = await groupsSeen(db, tenantId, page);
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      return {
        groups: shown.map(({ place: _, ...group }) => group),
        ...(last !== undefined && found.length > limit && { next: placeText(last) }),
      };
    },
  );
}

const BEGINNING: GroupPlace = ['', ''];

/** Names are no ids: a place is a pair of texts, in a form that needs no escapes in a URL. */
function placeText({ source, place }: GroupSeen): string {
  return Buffer.from(JSON.stringify([source, place])).toString('base64url');
}

function readPlace(text: string): GroupPlace {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(place) && place.length === 2 && place.every(isPlaceText)) return place as never;
  } catch {
    // Said below.
  }
  throw new AppError('invalid_request', '`after` is not the `next` of a page of this list', {
    pointer: 'after',
  });
}

const isPlaceText = (text: unknown) =>
  typeof text === 'string' && !text.includes('\0') && text.isWellFormed();
