import { type CarryOut, inBatches, MOST_CHANGES } from '../../actions/batches.ts';
import { createUsers } from '../../actions/create-users.ts';
import { deleteUsers } from '../../actions/delete-users.ts';
import { only } from '../../actions/outcome.ts';
import { patchUsers } from '../../actions/patch-users.ts';
import { replaceUsers } from '../../actions/replace-users.ts';
import type { Context } from '../../context.ts';
import { runAlone } from '../../db/transaction.ts';
import { readUsers, type UserRow } from '../../directory/users.ts';
import { isUuid } from '../../directory/uuid.ts';
import { viewerOf } from '../../directory/viewer.ts';
import { includesAttribute } from '../../scim/project.ts';
import { userText } from './answer.ts';
import type { Creation, Endpoint, Patch, Replacement } from './endpoint.ts';
import { baseUrlOf } from './request.ts';

/** `/Users`. */
export function userEndpoint(context: Context): Endpoint<UserRow> {
  const baseUrl = baseUrlOf(context);
  const whole = inBatches(reading(context, { groups: true }));
  const apart = inBatches(reading(context, { groups: false }));
  return {
    name: 'User',
    create: inBatches<Creation, UserRow>((actor, requests) => createUsers(context, actor, requests), {
      bytes,
    }),
    replace: inBatches<Replacement, UserRow>((actor, requests) => replaceUsers(context, actor, requests), {
      targets,
      bytes,
      most: MOST_CHANGES,
    }),
    patch: inBatches<Patch, UserRow>((actor, requests) => patchUsers(context, actor, requests), {
      targets,
      bytes,
      most: MOST_CHANGES,
    }),
    remove: (actor, requests) => deleteUsers(context, actor, requests),
    async read(actor, id, projection) {
      if (!isUuid(id)) return undefined;
      return only(await (includesAttribute(projection, 'groups') ? whole : apart)(actor, [id]));
    },
    answersPatch: () => true,
    text: (row, projection) => userText(row, baseUrl, projection),
  };
}

const targets = ({ id }: { readonly id: string }) => [id];
const bytes = ({ bytes = 0 }: { readonly bytes?: number }) => bytes;

/** Users by their ids; undefined: there is none that the actor may see. */
function reading(
  { db }: Context,
  shown: { readonly groups: boolean },
): CarryOut<string, UserRow | undefined> {
  return async (actor, ids) => {
    const rows = await runAlone(db, readUsers(viewerOf(actor), ids, shown));
    const found = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => ({ value: found.get(id) }));
  };
}
