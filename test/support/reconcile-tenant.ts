import { isDeepStrictEqual } from 'node:util';
import type { GroupReference, MappingDocument, State, Team } from '../oracle/reconcile.ts';
import { SECOND } from '../oracle/reconcile-arbitraries.ts';
import { buried, type Command, type Target } from '../oracle/reconcile-step.ts';
import type { Answer, AnyBody, Method, TestApp } from './app.ts';
import { type Client, clientOf, GROUP, USER } from './client.ts';
import { openGateway } from './reconcile-gateway.ts';

/** A tenant whose state an oracle knows, and that carries out the oracle's commands by HTTP. */

export interface ReconcileTenant {
  readonly id: string;
  /** Carries a command out: the service's answer to the last request of it. */
  perform(command: Command, state: State): Promise<Answer<AnyBody>>;
}

export async function newReconcileTenant(
  app: TestApp,
  permissions: readonly string[],
): Promise<ReconcileTenant> {
  const { id } = await app.createTenant();
  const root = `/tenants/${id}`;
  for (const name of permissions) await app.admin('POST', `${root}/permissions`, { name });
  const clients = new Map<string, Client>();
  const tenant: Tenant = {
    app,
    id,
    root,
    clients,
    signIn: await openGateway(app, id),
    connect: async (directory) =>
      void clients.set(directory, clientOf(app, await app.scimKey({ id }, directory))),
  };
  await tenant.connect('default');
  return { id, perform: (command, state) => send(tenant, command, state) };
}

interface Tenant {
  readonly app: TestApp;
  readonly id: string;
  /** Its path in the admin API. */
  readonly root: string;
  /** A SCIM client for each directory. */
  readonly clients: Map<string, Client>;
  readonly signIn: Awaited<ReturnType<typeof openGateway>>;
  connect(directory: string): Promise<void>;
}

type Sent = Promise<Answer<AnyBody>>;

function send(tenant: Tenant, command: Command, state: State): Sent {
  const { app, root } = tenant;
  switch (command.do) {
    case 'post user':
    case 'put user':
    case 'patch user':
    case 'delete user':
      return sendUser(tenant, command, state);
    case 'post group':
    case 'put group':
    case 'patch group':
    case 'delete group':
      return sendGroup(tenant, command, state);
    case 'add user by hand':
      return app.admin('POST', `${root}/users`, { userName: command.user, active: command.active });
    case 'put mapping':
      return putMapping(tenant, command.document, command.createTeams);
    case 'revert mapping':
      return confirmed(app, 'POST', `${root}/group-mapping/revert?`, { version: command.version });
    case 'create team':
      return app.admin('POST', `${root}/teams`, command.team);
    case 'rename team':
    case 'delete team':
      return sendTeam(tenant, command);
    case 'grant':
    case 'withdraw':
      return sendByHand(tenant, command, state);
    case 'set':
      return confirmed(app, 'PATCH', `${root}?`, { settings: command.settings });
    case 'sign in':
      return tenant.signIn(command);
    case 'switch jit':
      return confirmed(app, 'PATCH', `${root}/identity-providers/${command.provider}?`, { jit: command.jit });
    case 'allow return':
      return app.admin('POST', `${root}/users/${buried(state, command.user)}/allow-return`);
    case 'create directory':
      return createDirectory(tenant, command.directory);
    case 'delete directory':
      return confirmed(app, 'DELETE', `${root}/directories/${SECOND}?users=${command.users}`);
  }
}

type Of<Do extends Command['do']> = Extract<Command, { do: Do }>;

function clientFor({ clients }: Tenant, directory: string): Client {
  const client = clients.get(directory);
  if (client === undefined) throw new Error(`no key for ${directory}`);
  return client;
}

function sendUser(
  tenant: Tenant,
  command: Of<'post user' | 'put user' | 'patch user' | 'delete user'>,
  state: State,
): Sent {
  const client = clientFor(tenant, command.directory);
  const path = `/Users/${state.users[command.user]?.id}`;
  if (command.do === 'delete user') return client.ask<AnyBody>('DELETE', path);
  if (command.do === 'patch user') {
    const value = {
      ...(command.active !== undefined && { active: command.active }),
      ...(command.userType != null && { userType: command.userType }),
    };
    const removed = command.userType === null ? [{ op: 'remove', path: 'userType' }] : [];
    return client.patch(path, [{ op: 'replace', value }, ...removed]) as Sent;
  }
  const { user: userName, active, userType } = command;
  const body = { schemas: [USER], userName, active, ...(userType !== null && { userType }) };
  return command.do === 'post user'
    ? client.ask<AnyBody>('POST', '/Users', body)
    : client.ask<AnyBody>('PUT', path, body);
}

function sendGroup(
  tenant: Tenant,
  command: Of<'post group' | 'put group' | 'patch group' | 'delete group'>,
  state: State,
): Sent {
  const directory = command.do === 'post group' ? command.directory : state.groups[command.group]?.directory;
  const client = clientFor(tenant, directory ?? '');
  const path = `/Groups/${state.groups[command.group]?.id}`;
  const refs = (users: readonly string[]) =>
    users.flatMap((user) => (state.users[user] ? [{ value: state.users[user].id }] : []));
  if (command.do === 'delete group') return client.ask<AnyBody>('DELETE', path);
  if (command.do === 'patch group') {
    const { name, add, remove } = command;
    return client.patch(path, [
      ...(name === undefined ? [] : [{ op: 'replace', path: 'displayName', value: name }]),
      { op: 'add', path: 'members', value: refs(add) },
      ...refs(remove).map(({ value }) => ({ op: 'remove', path: `members[value eq "${value}"]` })),
    ]) as Sent;
  }
  const body = {
    schemas: [GROUP],
    displayName: command.name,
    externalId: `external-${command.group}`,
    members: refs(command.members),
  };
  return command.do === 'post group'
    ? client.ask<AnyBody>('POST', '/Groups', body)
    : client.ask<AnyBody>('PUT', path, body);
}

/** Asks; where the service wants a number confirmed, asks again with it. */
async function confirmed(app: TestApp, method: Method, path: string, body?: unknown): Sent {
  const answer = await app.admin(method, path, body);
  if (answer.body?.reason !== 'confirm_required') return answer;
  return app.admin(method, `${path}&confirm=${answer.body.confirm}`, body);
}

/** A dry run, and the change itself, which must be what the dry run said. */
async function putMapping({ app, root }: Tenant, document: MappingDocument, createTeams: boolean): Sent {
  const path = `${root}/group-mapping?createTeams=${createTeams}`;
  const dry = await app.admin('PUT', `${path}&dryRun=true`, document);
  const { digest } = (dry.body.plan ?? {}) as { digest?: string };
  const named = digest === undefined ? '' : `&expectDigest=${digest}`;
  const answer = await confirmed(app, 'PUT', `${path}${named}`, document);
  const told = ({ status, body: { version, plan, reason } }: Answer<AnyBody>) => ({
    status,
    version,
    reason,
    // A team that the change makes has another id in the run that is rolled back.
    plan:
      plan &&
      JSON.parse(JSON.stringify(plan, (key, value) => (createTeams && key === 'teamId' ? '' : value))),
  });
  if (isDeepStrictEqual(told(dry), told(answer))) return answer;
  throw new Error(`the dry run said ${dry.text}, the change ${answer.text}`);
}

async function teamPath({ app, root }: Tenant, { kind, name }: Team): Promise<string> {
  const { body } = await app.admin<{ teams: { id: string }[] }>(
    'GET',
    `${root}/teams?kind=${kind}&name=${name}`,
  );
  return `${root}/teams/${body.teams[0]?.id}`;
}

async function sendTeam(tenant: Tenant, command: Of<'rename team' | 'delete team'>): Sent {
  const path = await teamPath(tenant, command.team);
  if (command.do === 'delete team') return tenant.app.admin('DELETE', path);
  return tenant.app.admin('PATCH', path, { name: command.name });
}

async function sendByHand(tenant: Tenant, command: Of<'grant' | 'withdraw'>, state: State): Sent {
  const method = command.do === 'grant' ? 'PUT' : 'DELETE';
  const isMember = command.to.kind === 'team' || command.to.kind === 'case_group';
  const body = command.do === 'grant' && isMember ? { role: command.role } : undefined;
  const path = await targetPath(tenant, command.to);
  return tenant.app.admin(method, `${path}/${state.users[command.user]?.id}`, body);
}

async function targetPath(tenant: Tenant, to: Target): Promise<string> {
  if (to.kind === 'owner') return `${tenant.root}/owners`;
  if (to.kind === 'permission') return `${tenant.root}/permissions/${to.name}`;
  return `${await teamPath(tenant, to)}/members`;
}

async function createDirectory(tenant: Tenant, name: string): Sent {
  const answer = await tenant.app.admin('POST', `${tenant.root}/directories`, { name });
  await tenant.connect(name);
  return answer;
}

/** The document with our ids of groups, where it names groups that there are by `standIn`. */
export function withIds(
  document: MappingDocument,
  state: State,
  standIn: (key: string) => string,
): MappingDocument {
  const ids = new Map(Object.entries(state.groups).map(([key, { id }]) => [standIn(key), id]));
  const resolved = <Row extends GroupReference>(row: Row): Row => {
    const id = row.group_id === undefined ? undefined : ids.get(row.group_id);
    return id === undefined ? row : { ...row, group_id: id };
  };
  return {
    ...document,
    ...(document.tenant_permission && { tenant_permission: document.tenant_permission.map(resolved) }),
    mappings: document.mappings.map(resolved),
  };
}
