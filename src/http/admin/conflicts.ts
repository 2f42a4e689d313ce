import Type from 'typebox';
import { resolveConflict } from '../../actions/resolve-conflict.ts';
import type { Context } from '../../context.ts';
import { runAlone } from '../../db/transaction.ts';
import {
  CONFLICT_STATES,
  type Conflict,
  conflictById,
  listConflicts,
} from '../../directory/conflict-inbox.ts';
import { notFound } from '../../errors.ts';
import { actorOf } from '../plugins/bearer-auth.ts';
import { Id, idOrNotFound, nullable, ofTenant, pageOf, pageQuery, problems, Slug } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';

const State = Type.Enum([...CONFLICT_STATES]);
const Moment = Type.String({ format: 'date-time' });
const Shown = Type.Unsafe<Conflict>(
  Type.Object({
    id: Id,
    identityProvider: Slug,
    subject: Type.String(),
    email: nullable(Type.String({ description: 'As the sign-in told it, verified or not' })),
    user: Type.Object({ id: Id, userName: Type.String() }, { description: 'Whom the sign-in met' }),
    reason: Type.String({ description: 'Why it was not linked: a stable word' }),
    state: State,
    seenAt: { ...Moment, description: 'The last time' },
    times: Type.Integer(),
    createdAt: Moment,
    resolvedAt: nullable(Moment),
    resolvedBy: nullable(
      Type.Object({}, { additionalProperties: true, description: 'Who decided, as in events' }),
    ),
  }),
);
const closed = { additionalProperties: false };
const params = Type.Object({ ...ofTenant, conflict: Type.String({ description: 'Id' }) });
const tags = ['Conflicts'];
const idOf = ({ conflict }: { readonly conflict: string }) => idOrNotFound(conflict, 'Conflict');

/** The inbox of sign-ins on which an admin has to decide. */
export function conflictRoutes(scope: TypedScope, context: Context): void {
  scope.get(
    '/tenants/:tenant/conflicts',
    {
      schema: {
        tags,
        operationId: 'listConflicts',
        summary:
          'List sign-ins that met a user to whom they may not be linked, in the order of the first time',
        params: Type.Object(ofTenant),
        querystring: Type.Object({ ...pageQuery, state: Type.Optional(State) }, closed),
        response: {
          200: Type.Object({ conflicts: Type.Array(Shown), next: Type.Optional(Id) }),
          ...problems,
        },
      },
    },
    async ({ tenantId, query: { state, ...query } }) => {
      const filter = state === undefined ? {} : { state };
      const { items, ...next } = await pageOf(query, (page) =>
        listConflicts(context.db, tenantId, { ...page, ...filter }),
      );
      return { conflicts: items, ...next };
    },
  );

  scope.get(
    '/tenants/:tenant/conflicts/:conflict',
    {
      schema: {
        tags,
        operationId: 'readConflict',
        summary: 'Read a conflict',
        params,
        response: { 200: Shown, ...problems },
      },
    },
    async ({ tenantId, params: path }) => {
      const [found] = await runAlone(context.db, conflictById(tenantId, idOf(path)));
      if (found === undefined) throw notFound('Conflict');
      return found;
    },
  );

  scope.post(
    '/tenants/:tenant/conflicts/:conflict/resolve',
    {
      schema: {
        tags,
        operationId: 'resolveConflict',
        summary: 'Link the subject to the user whom it met, or keep it out: 403 `rejected` from then on',
        params,
        body: Type.Object({ action: Type.Enum(['link', 'reject']) }, closed),
        response: { 200: Shown, ...problems },
      },
    },
    async (request) => {
      const { tenantId, params: path, body } = request;
      return resolveConflict(context, actorOf(request), { tenantId, conflictId: idOf(path), ...body });
    },
  );
}
