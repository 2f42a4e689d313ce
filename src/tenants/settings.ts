import Type from 'typebox';
import { Value } from 'typebox/value';
import type { TenantSettings } from '../context.ts';

/** The settings of a tenant: the one list of their names, values, defaults and meanings. */
export const SettingsSchema = Type.Object(
  {
    provisioning: Type.Enum(['combined', 'scim', 'jit'], {
      default: 'combined',
      description:
        'Which doors create and change users. `scim`: JIT creates nobody. `jit`: SCIM writes are 403.',
    }),
    userNameMustBeEmail: Type.Boolean({
      default: false,
      description: 'Refuse a `userName` that is not an e-mail address.',
    }),
    strictScim: Type.Boolean({
      default: false,
      description: 'Refuse what is unknown or read-only in SCIM bodies with 400 instead of ignoring it.',
    }),
    adoptUnmanaged: Type.Boolean({
      default: true,
      description: 'A directory sees users that no directory manages, and adopts them by its first write.',
    }),
    takeover: Type.Boolean({
      default: false,
      description: 'A sync also ends manual grants in the teams that the mapping names.',
    }),
    renameFollows: Type.Boolean({
      default: true,
      description: 'Mapping rows that name a group follow when it is renamed.',
    }),
    ownersByUserType: Type.Boolean({
      default: false,
      description: 'The `userType` TENANT_OWNER makes a tenant owner.',
    }),
    linkByEmail: Type.Enum(['never', 'verified_domains'], {
      default: 'never',
      description: 'Whether a sign-in may link to an existing user by a verified e-mail address.',
    }),
    unmappedUsers: Type.Enum(['allow', 'deny'], {
      default: 'allow',
      description: 'The sign-in of an active user whom no group mapping reaches.',
    }),
  },
  { additionalProperties: false },
);

/** A change of settings: names to new values; null returns a setting to its default. */
export const SettingsChangeSchema = Type.Object(
  Object.fromEntries(
    Object.entries(SettingsSchema.properties).map(([name, schema]) => [
      name,
      Type.Optional(Type.Union([schema, Type.Null()])),
    ]),
  ),
  { additionalProperties: false, description: 'null returns a setting to its default.' },
);

export type SettingsChange = { readonly [Name in keyof TenantSettings]?: TenantSettings[Name] | null };

export const DEFAULT_SETTINGS: TenantSettings = Value.Create(SettingsSchema);

/** Completes stored settings; names that this release does not know are left out. */
export function completeSettings(stored: Readonly<Record<string, unknown>>): TenantSettings {
  const complete = Object.entries(DEFAULT_SETTINGS).map(([name, value]) => [name, stored[name] ?? value]);
  return Object.fromEntries(complete) as TenantSettings;
}

/** Applies a change (JSON merge patch, RFC 7396) that has passed `SettingsChangeSchema`. */
export function changeSettings(settings: TenantSettings, change: SettingsChange): TenantSettings {
  return completeSettings({ ...settings, ...change });
}

/** What the database keeps: the values that differ from the defaults, so that a default can still change. */
export function storedSettings(settings: TenantSettings): Record<string, unknown> {
  const defaults: Record<string, unknown> = { ...DEFAULT_SETTINGS };
  return Object.fromEntries(Object.entries(settings).filter(([name, value]) => value !== defaults[name]));
}
