import Type from 'typebox';
import type { SignInAnswer } from '../../actions/sign-in-verdict.ts';
import { ProfileShape } from '../admin/user-shape.ts';
import { accessDecision } from '../product/access-shape.ts';
import { Id, nullable } from '../shapes.ts';

/** What a sign-in answers: all that a product needs to open a session. */
export const SignedIn = Type.Unsafe<SignInAnswer>(
  Type.Object({
    outcome: Type.Enum(['created', 'linked', 'updated', 'unchanged']),
    user: ProfileShape,
    access: Type.Object(accessDecision),
    identityProviderGroups: Type.Object({
      state: Type.Enum(['list', 'empty', 'absent', 'overage'], {
        description: '`absent` and `overage`: unknown, nothing is taken away for it',
      }),
      groups: Type.Array(Type.String()),
    }),
    changes: Type.Array(
      Type.Object({
        change: Type.Enum(['add', 'change', 'remove']),
        team: Type.String(),
        teamId: Id,
        kind: Type.String(),
        role: nullable(Type.String()),
        was: nullable(Type.String()),
      }),
    ),
    warnings: Type.Array(Type.Object({ code: Type.String(), detail: Type.String() })),
    trace: Type.Optional(
      Type.Array(
        Type.Object({
          check: Type.String(),
          passed: Type.Boolean(),
          detail: Type.Optional(Type.String()),
        }),
        { description: 'Of a dry run: each check and each step of the decision, in order' },
      ),
    ),
  }),
);
