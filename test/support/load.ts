import { randomUUID } from 'node:crypto';
import { PATCH_OP, type Resource, SCIM, USER } from './client.ts';

/** A load of SCIM writes over real connections, of which each request knows what it was told. */

export type Kind = 'create' | 'join' | 'deactivate' | 'replace' | 'leave' | 'wrong';

/** One request, its answer, and until there is one, nothing. */
export interface Sent {
  /** Its `x-request-id`, under which its events are found. */
  readonly id: string;
  readonly kind: Kind;
  /** The user whom it creates or is for, by name. */
  readonly userName: string;
  status?: number;
  /** The resource's version, as the answer says it. */
  version?: number;
}

export interface LoadOptions {
  /** Where the service listens. */
  readonly origin: string;
  /** Told of each answer. */
  onAnswer(sent: Sent): void;
}

/** A client of one key, whose writers send one request after the other, each about users of its own. */
export interface LoadClient {
  readonly key: string;
  readonly groupId: string;
  readonly writers: number;
  /** What the names of its users begin with. */
  readonly prefix: string;
}

/** All that the clients sent, when the service answers nobody any more. */
export async function loadUntilCut(options: LoadOptions, clients: readonly LoadClient[]): Promise<Sent[]> {
  const all: Sent[] = [];
  const writers = clients.flatMap((client) =>
    Array.from({ length: client.writers }, (_, n) =>
      write({ ...options, ...client, all }, `${client.prefix}-${n}`),
    ),
  );
  await Promise.all(writers);
  return all;
}

interface Writer extends LoadOptions, LoadClient {
  readonly all: Sent[];
}

interface Asked {
  readonly kind: Kind;
  readonly userName: string;
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body: object;
  readonly headers?: Record<string, string>;
}

/** Writes users until an answer does not come: each is created, joins the group, goes, comes back, and may leave. */
async function write(writer: Writer, name: string): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    const userName = `${name}-${turn}`;
    const created = await ask(writer, creation('create', userName));
    if (created === undefined) return;
    for (const each of life(writer, userName, created.id, turn)) {
      if ((await ask(writer, each)) === undefined) return;
    }
  }
}

const creation = (kind: Kind, userName: string, more: object = {}): Asked => ({
  kind,
  userName,
  method: 'POST',
  path: '/Users',
  body: { schemas: [USER], userName, ...more },
});

function life({ groupId }: LoadClient, userName: string, id: string, turn: number): Asked[] {
  const patch = (kind: Kind, path: string, operation: object): Asked => ({
    kind,
    userName,
    method: 'PATCH',
    path,
    body: { schemas: [PATCH_OP], Operations: [operation] },
  });
  const [user, group] = [`/Users/${id}`, `/Groups/${groupId}`];
  const add = (value: string) => ({ op: 'add', path: 'members', value: [{ value }] });
  const replaced = { schemas: [USER], userName, title: 'Analyst', active: true };
  return [
    creation('wrong', userName),
    creation('wrong', `${userName}-none`, { active: 'perhaps' }),
    patch('join', group, add(id)),
    patch('wrong', group, add(randomUUID())),
    patch('deactivate', user, { op: 'replace', path: 'active', value: false }),
    {
      ...patch('wrong', user, { op: 'replace', path: 'title', value: 'Nobody' }),
      headers: { 'if-match': 'W/"99"' },
    },
    { kind: 'replace', userName, method: 'PUT', path: user, body: replaced },
    ...(turn % 2 === 0 ? [patch('leave', group, { op: 'remove', path: `members[value eq "${id}"]` })] : []),
  ];
}

/** The resource that the answer shows, if it shows one; undefined: nobody answered. */
async function ask(
  { origin, key, all, onAnswer }: Writer,
  asked: Asked,
): Promise<(Partial<Resource> & { id: string }) | undefined> {
  const { kind, userName, method, path, body, headers } = asked;
  const sent: Sent = { id: randomUUID(), kind, userName };
  all.push(sent);
  try {
    const answer = await fetch(`${origin}${SCIM}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/scim+json',
        'x-request-id': sent.id,
        ...headers,
      },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    sent.status = answer.status;
    const version = /^W\/"(\d+)"$/.exec(answer.headers.get('etag') ?? '')?.[1];
    if (version !== undefined) sent.version = Number(version);
    onAnswer(sent);
    return text === '' ? { id: '' } : JSON.parse(text);
  } catch {
    return undefined;
  }
}
