import { currentMapping, desired, type JitMode, type JitSync, OWNER, type State } from './reconcile.ts';

/** Who comes in by a sign-in, and what is noted of it. A person has one subject at each provider, and keeps it. */

export interface SignIn {
  user: string;
  provider: string;
  /** `absent` and `overage`: unknown. */
  groups: string[] | 'absent' | 'overage';
}

export type SignInRefusal = 'deactivated' | 'deprovisioned' | 'link_conflict' | 'unknown_user';

/** `id` is what the user is called whom the sign-in creates. */
export function signIn(state: State, command: SignIn, id: string): SignInRefusal | undefined {
  const { user, provider, groups } = command;
  const isHere = (of: { user: string; provider: string }) => of.user === user && of.provider === provider;
  const link = state.links.find(isHere);
  const refusal = link === undefined ? arrive(state, command, id) : undefined;
  if (refusal !== undefined) return refusal;
  if (!state.users[user]?.active) return 'deactivated';
  const known = typeof groups === 'string' ? null : groups;
  const groupState = typeof groups === 'string' ? groups : groups.length > 0 ? 'list' : 'empty';
  const noted = { user, provider, state: groupState, groups: known ?? link?.groups ?? [] } as const;
  state.links = [...state.links.filter((each) => each !== link), noted];
  const mode = state.providers[provider] ?? 'off';
  if (mode === 'off' || state.users[user]?.directory !== null) return undefined;
  const before = state.syncs.find(isHere);
  const speaks = before === undefined || (mode === 'enhanced' && known !== null);
  const mapping = currentMapping(state) ?? null;
  const now: JitSync = { user, provider, mode, mapping, groups: known ?? [] };
  state.syncs = [...state.syncs.filter((sync) => sync !== before), speaks ? now : { ...before, mode }];
  return undefined;
}

/** Whom the first sign-in means: who is managed has a name for it, of the others the address has to do. */
function arrive(state: State, { user, provider }: SignIn, id: string): SignInRefusal | undefined {
  const met = state.users[user];
  if (met !== undefined && met.directory !== null) return undefined;
  const speaks = (of: string | null) => of === provider || (of === null && met === undefined);
  if (state.deleted.some((each) => each.user === user && speaks(each.provider))) return 'deprovisioned';
  if (met !== undefined) {
    const owns = desired(state).some((grant) => grant.user === user && grant.target === OWNER);
    return owns || state.settings.linkByEmail === 'never' ? 'link_conflict' : undefined;
  }
  if (state.providers[provider] === 'off') return 'unknown_user';
  state.users[user] = { id, directory: null, userType: null, active: true };
  return undefined;
}

/** Whether a sign-in says what the user has no more. */
export function takes(state: State, { provider, groups }: SignIn): boolean {
  return state.providers[provider] === 'enhanced' && typeof groups !== 'string';
}

/** The new mode says who decides from now on, and changes nothing by itself. */
export function switchJit(state: State, { provider, jit }: { provider: string; jit: JitMode }): void {
  if (state.providers[provider] === jit) return;
  state.providers[provider] = jit;
  const mode = jit === 'enhanced' ? 'enhanced' : 'standard';
  for (const sync of state.syncs) if (sync.provider === provider) sync.mode = mode;
}
