import Type from 'typebox';
import type { Context } from '../../context.ts';
import type { Database } from '../../db/database.ts';
import { conversation } from '../../db/transaction.ts';
import { AppError, notFound } from '../../errors.ts';
import { factsNow } from '../../reconcile/explain-now.ts';
import { factsThen } from '../../reconcile/explain-past.ts';
import { type Explanation, explained } from '../../reconcile/explanation.ts';
import { type Plan as PlanOf, planUser } from '../../reconcile/plan.ts';
import { factsTried } from '../../reconcile/trial.ts';
import { idOrNotFound, idParameter, ofTenant, problems, Slug } from '../shapes.ts';
import type { TypedScope } from '../typebox.ts';
import { ExplanationShape, explanation } from './explain-shape.ts';
import { Plan } from './plan-shape.ts';

const tags = ['Users'];

/** As long as SCIM takes it. */
const GroupName = Type.String({ minLength: 1, maxLength: 2_000, pattern: '^[^\\0\\p{Cs}]*$' });

const Trial = Type.Object(
  {
    userId: Type.Optional(idParameter('Whose facts it starts from; absent: nobody')),
    groups: Type.Optional(
      Type.Array(GroupName, {
        maxItems: 1_000,
        uniqueItems: true,
        description: 'The names of all groups that the person shall have; absent: those that the user has',
      }),
    ),
    directory: Type.Optional({
      ...Slug,
      description: 'Whose groups they are; absent: of who manages the user',
    }),
    identityProvider: Type.Optional({ ...Slug, description: 'Or whose claims' }),
    userType: Type.Optional(GroupName),
    active: Type.Optional(Type.Boolean()),
    document: Type.Optional(
      Type.Unknown({ description: 'A mapping as it would be put; absent: the one that holds' }),
    ),
  },
  { additionalProperties: false },
);

const Tried = Type.Unsafe<Explanation & { readonly plan?: PlanOf }>(
  Type.Object({ ...explanation, plan: Type.Optional(Plan) }),
);

/** Why somebody holds what they hold, held it once, or would hold it. */
export function explainRoutes(scope: TypedScope, { db, now }: Context): void {
  scope.get(
    '/tenants/:tenant/users/:userId/explain',
    {
      schema: {
        tags,
        operationId: 'explainUser',
        summary: 'Explain what a user holds, or held: by which rows, groups and changes, and what lost',
        params: Type.Object({ ...ofTenant, userId: Type.String() }),
        querystring: Type.Object(
          { at: Type.Optional(Type.String({ format: 'date-time', description: 'A moment in the past' })) },
          { additionalProperties: false },
        ),
        response: { 200: ExplanationShape, ...problems },
      },
    },
    async ({ tenantId, params, query }) => {
      const userId = idOrNotFound(params.userId, 'User');
      const at = query.at === undefined ? undefined : readMoment(query.at, now());
      const facts = await (at === undefined
        ? factsNow(db, { tenantId, userId, now: now() })
        : factsThen(db, { tenantId, userId, at }));
      if (facts === undefined) throw notFound('User');
      return explained(facts);
    },
  );

  scope.post(
    '/tenants/:tenant/explain',
    {
      schema: {
        tags,
        operationId: 'tryExplain',
        summary:
          'Explain what a person would hold, with other groups or by another mapping; nothing is written',
        params: Type.Object(ofTenant),
        body: Trial,
        response: { 200: Tried, ...problems },
      },
    },
    async ({ tenantId, settings, body }) => {
      const { userId: id, ...tried } = body;
      if (tried.directory !== undefined && tried.identityProvider !== undefined) throw twoSources();
      const asked = { tenantId, now: now(), userId: id?.toLowerCase() };
      if (asked.userId !== undefined && Object.keys(tried).length === 0) {
        return explainedWithPlan(db, { ...asked, userId: asked.userId });
      }
      return explained(await factsTried(db, { ...tried, ...asked, settings }));
    },
  );
}

/** A user as they are, with what would change if they were reconciled now. */
async function explainedWithPlan(db: Database, asked: Parameters<typeof factsNow>[1]) {
  const facts = await factsNow(db, asked);
  if (facts === undefined) throw notFound('User');
  const plan = await conversation(db, asked.tenantId, (send) => planUser(send, asked.tenantId, asked.userId));
  return { ...explained(facts), plan };
}

/** Before it nothing can have been, and PostgreSQL writes years another way. */
const FIRST = new Date('0001-01-01T00:00:00Z');

function readMoment(text: string, now: Date): Date {
  const at = new Date(text);
  if (at >= FIRST && at <= now) return at;
  const future = at > now;
  throw new AppError('invalid_request', future ? '"at" lies in the future' : '"at" is no moment', {
    reason: future ? 'in_the_future' : 'invalid_moment',
    pointer: 'at',
    hint: `Use the form 2026-01-31T23:59:59Z. It is now ${now.toISOString()}; leave "at" out for what is held now.`,
  });
}

function twoSources(): AppError {
  return new AppError(
    'invalid_request',
    'Groups are of a directory or of an identity provider, not of both',
    {
      pointer: '/identityProvider',
      hint: 'Name one of "directory" and "identityProvider".',
    },
  );
}
