import { createUsers } from '../../actions/create-users.ts';
import { deleteUsers } from '../../actions/delete-users.ts';
import { patchUsers } from '../../actions/patch-users.ts';
import { replaceUsers } from '../../actions/replace-users.ts';
import type { Context } from '../../context.ts';
import { run } from '../../db/statement.ts';
import { readUsers, type UserRow } from '../../directory/users.ts';
import { isUuid } from '../../directory/uuid.ts';
import { viewerOf } from '../../directory/viewer.ts';
import { includesAttribute } from '../../scim/project.ts';
import { userText } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import { baseUrlOf } from './request.ts';

/** `/Users`. */
export function userEndpoint(context: Context): Endpoint<UserRow> {
  const baseUrl = baseUrlOf(context);
  return {
    name: 'User',
    create: (actor, requests) => createUsers(context, actor, requests),
    replace: (actor, requests) => replaceUsers(context, actor, requests),
    patch: (actor, requests) => patchUsers(context, actor, requests),
    remove: (actor, requests) => deleteUsers(context, actor, requests),
    async read(actor, id, projection) {
      if (!isUuid(id)) return undefined;
      const groups = includesAttribute(projection, 'groups');
      const [row] = await run(context.db.pool, readUsers(viewerOf(actor), [id], { groups }));
      return row;
    },
    answersPatch: () => true,
    text: (row, projection) => userText(row, baseUrl, projection),
  };
}
