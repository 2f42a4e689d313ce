import { inBatches } from '../../actions/batches.ts';
import { changeFewMembers, type MemberDifference, membersNamed } from '../../actions/change-members.ts';
import { createGroups } from '../../actions/create-groups.ts';
import { deleteGroups } from '../../actions/delete-groups.ts';
import { eachPlanned } from '../../actions/outcome.ts';
import { patchGroups } from '../../actions/patch-groups.ts';
import { replaceGroups } from '../../actions/replace-groups.ts';
import type { Context } from '../../context.ts';
import { runAlone } from '../../db/transaction.ts';
import { type GroupRow, readGroups } from '../../directory/groups.ts';
import { isUuid } from '../../directory/uuid.ts';
import { viewerOf } from '../../directory/viewer.ts';
import { takeMembers } from '../../scim/members.ts';
import { includesAttribute, isDefaultProjection, type Projection } from '../../scim/project.ts';
import type { Resource } from '../../scim/types.ts';
import { groupText } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import { BODY_LIMITS } from './limits.ts';
import { baseUrlOf } from './request.ts';

/** `/Groups`. Members are read and written as rows, never as a part of the resource. */
export function groupEndpoint(context: Context): Endpoint<GroupRow> {
  const baseUrl = baseUrlOf(context);
  const together = inBatches<MemberDifference, GroupRow>(
    (actor, requests) => changeFewMembers(context, actor, requests),
    { targets: membersNamed },
  );
  return {
    name: 'Group',
    bodyLimit: BODY_LIMITS.group,
    create: (actor, requests) =>
      eachPlanned(requests, membersApart, (groups) => createGroups(context, actor, groups)),
    replace: (actor, requests, answered) =>
      eachPlanned(requests, membersApart, (groups) =>
        replaceGroups(context, actor, groups, showing(answered)),
      ),
    patch: (actor, requests, answered) =>
      patchGroups(context, actor, requests, { baseUrl, together, ...showing(answered) }),
    remove: (actor, requests) => deleteGroups(context, actor, requests),
    async read(actor, id, projection) {
      if (!isUuid(id)) return undefined;
      const [row] = await runAlone(context.db, readGroups(viewerOf(actor), [id], showing(projection)));
      return row;
    },
    // 204 unless the client asks for attributes: an answer with 100,000 members helps nobody (Entra ID wants 204).
    answersPatch: (projection) => !isDefaultProjection(projection),
    text: (row, projection) => groupText(row, baseUrl, projection),
  };
}

/** The same request with the members apart from the rest of the resource. */
export function membersApart<Request extends { readonly resource: Resource }>(request: Request) {
  const { resource, members = [] } = takeMembers(request.resource);
  return { ...request, resource, members };
}

function showing(projection: Projection | undefined): { members: boolean } {
  return { members: projection !== undefined && includesAttribute(projection, 'members') };
}
