import Type from 'typebox';
import { SIGNATURE_ALGORITHMS } from '../../assertions/oidc/algorithms.ts';
import { MAPPED_FACTS, PRESETS, SUBJECT_ALIASES } from '../../assertions/presets.ts';
import type { Plan as TenantPlan } from '../../reconcile/plan.ts';
import { JIT_MODES, MATCHES, type IdentityProvider as Provider } from '../../tenants/identity-providers.ts';
import { MAX_CERTIFICATES } from '../../tenants/provider-settings.ts';
import { type ProviderWarning, providerWarnings } from '../../tenants/provider-warnings.ts';
import { Id, Label, line, nullable, Slug, Timestamp } from '../shapes.ts';
import { Plan } from './plan-shape.ts';

/** Identity providers as the admin API takes and gives them. */

const closed = { additionalProperties: false } as const;
const AttributeName = line(500);
/** As long as an entity id may be (SAML core 2.0 section 8.3.6). */
const EntityId = line(1_024);
const Url = line(2_000);
const Certificates = Type.Array(Type.String({ maxLength: 20_000 }), {
  maxItems: MAX_CERTIFICATES,
  description: 'X.509 in PEM, one a text; several while one is rolled over',
});
const Mode = Type.Enum([...JIT_MODES], {
  description:
    'Whom sign-ins create and sync: nobody; at the first sign-in; at each one. Known people may sign in by all',
});

const named = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, Type.Optional(AttributeName)]));

const Mapping = Type.Unsafe<Partial<Record<(typeof MAPPED_FACTS)[number], string>>>(
  Type.Object(named(MAPPED_FACTS), {
    ...closed,
    description: 'The attribute or claim of each fact, where it is another than that of the preset',
  }),
);
const MappingInput = Type.Unsafe<
  Partial<Record<(typeof MAPPED_FACTS)[number] | (typeof SUBJECT_ALIASES)[number], string>>
>(Type.Object(named([...MAPPED_FACTS, ...SUBJECT_ALIASES]), closed));

const DefaultTeam = Type.Object(
  {
    team: Type.String({ maxLength: 200, description: 'Id; a name is read too' }),
    role: Type.String({ maxLength: 63 }),
  },
  { ...closed, description: 'What whoever is created gets, as a grant by hand' },
);

const Algorithms = Type.Array(Type.Enum([...SIGNATURE_ALGORITHMS]), { minItems: 1, uniqueItems: true });
const saml = {
  issuer: nullable(EntityId),
  certificates: Certificates,
  audience: EntityId,
  acsUrl: Url,
};
const oidc = { issuer: Url, audience: Label, jwksUri: Type.Optional(Url), algorithms: Algorithms };

const settings = {
  displayName: nullable(Label),
  jit: Mode,
  enabled: Type.Boolean(),
  preset: nullable(Type.Enum([...PRESETS])),
  groupAttribute: nullable(AttributeName),
  absentGroups: Type.Enum(['unknown', 'none'], {
    description: 'What an assertion without the groups attribute means: nothing is known, or there are none',
  }),
  trustEmail: Type.Boolean({ description: 'Every e-mail address of this provider counts as verified' }),
  matchManaged: Type.Array(Type.Enum([...MATCHES]), {
    uniqueItems: true,
    description:
      'By what a user is found whom a directory manages: `externalId` is the subject, `userName` a name',
  }),
  matchDirectory: nullable({
    ...Slug,
    description: 'The only directory whose users are found so, by name; null: any of them',
  }),
  profileSync: Type.Enum(['create', 'always'], {
    description: 'Whether the profile of unmanaged users is written once, or at each sign-in',
  }),
  defaultTeam: nullable(DefaultTeam),
  domains: Type.Array(Type.String({ maxLength: 253 }), {
    maxItems: 100,
    description: "The tenant's domains whose people sign in here",
  }),
};

interface ProviderView extends Provider {
  readonly warnings: readonly ProviderWarning[];
}

export const ShutOut = Type.Integer({ description: 'Users who could not sign in any more' });

const Unlinked = Type.Integer({ description: 'Links of users that end' });

/** What a query says of the links of a provider whose subjects are somebody else's from now on. */
export const Links = Type.Enum(['end', 'keep'], {
  default: 'end',
  description:
    'Of links, where issuer, entity id or what names the subject changes: they end, or name the same people as before',
});

const Warnings = Type.Array(
  Type.Object({ code: Type.String(), pointer: Type.String(), detail: Type.String() }),
);

const IdentityProviderObject = Type.Object({
  id: Id,
  name: Slug,
  kind: Type.Enum(['saml', 'oidc', 'claims']),
  ...settings,
  attributeMapping: Mapping,
  saml: nullable(Type.Object(saml)),
  oidc: nullable(Type.Object(oidc)),
  encryptionCertificate: nullable(Type.String({ description: 'To whose key assertions may be encrypted' })),
  version: Type.Integer(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  warnings: Warnings,
});
export const IdentityProvider = Type.Unsafe<ProviderView>(IdentityProviderObject);

/** The same with what follows from a change, of a dry run. */
export const ChangedIdentityProvider = Type.Unsafe<
  ProviderView & { readonly plan?: TenantPlan; readonly shutOut?: number; readonly unlinked?: number }
>(
  Type.Object({
    ...IdentityProviderObject.properties,
    plan: Type.Optional(Plan),
    shutOut: Type.Optional(ShutOut),
    unlinked: Type.Optional(Unlinked),
  }),
);

/** What may be changed, each part absent where it stays as it is. */
export const changeable = {
  ...Type.Partial(Type.Object(settings)).properties,
  attributeMapping: Type.Optional(nullable(MappingInput)),
  saml: Type.Optional(Type.Partial(Type.Object(saml, closed))),
  oidc: Type.Optional(Type.Partial(Type.Object({ ...oidc, jwksUri: nullable(Url) }, closed))),
};

export const NewIdentityProvider = Type.Object(
  { ...changeable, name: Slug, kind: Type.Enum(['saml', 'oidc', 'claims']), jit: Mode },
  closed,
);

/** A provider as it is answered. */
export function providerView(provider: Provider, now: Date): ProviderView {
  return { ...provider, warnings: providerWarnings(provider, now) };
}
