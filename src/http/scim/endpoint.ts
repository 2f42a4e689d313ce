import type { Outcome } from '../../actions/outcome.ts';
import type { ResourceRequest } from '../../actions/scim-writes.ts';
import type { ScimActor } from '../../context.ts';
import type { Projection } from '../../scim/project.ts';
import type { PatchOperation, Resource } from '../../scim/types.ts';
import type { Tagged } from './answer.ts';

/** What every stored resource has, whatever its type. */
export interface ResourceRow extends Tagged {
  readonly id: string;
}

/** What batches are bounded by (`actions/batches.ts`). */
interface Sized {
  /** Of the body that it came in; absent: it came in a list. */
  readonly bytes?: number;
}

export interface Creation extends Sized {
  readonly requestId: string;
  /** Given out beforehand by a /Bulk, whose operations refer to it. */
  readonly id?: string;
  readonly resource: Resource;
}

export interface Replacement extends ResourceRequest, Sized {
  readonly resource: Resource;
}

export interface Patch extends ResourceRequest, Sized {
  readonly operations: readonly PatchOperation[];
}

/**
 * What can be done with one type of resources, whoever asks: a route, or an operation of a /Bulk. Requests come
 * read and checked, in lists; each gets its outcome.
 */
export interface Endpoint<Row extends ResourceRow = ResourceRow> {
  readonly name: 'User' | 'Group';
  /** The largest body of a change, in bytes; absent: the surface's. */
  readonly bodyLimit?: number;
  create(actor: ScimActor, requests: readonly Creation[]): Promise<Outcome<Row>[]>;
  /** @param answered what the answers show of the resource; undefined: they do not show it. */
  replace(
    actor: ScimActor,
    requests: readonly Replacement[],
    answered: Projection | undefined,
  ): Promise<Outcome<Row>[]>;
  patch(
    actor: ScimActor,
    requests: readonly Patch[],
    answered: Projection | undefined,
  ): Promise<Outcome<Row>[]>;
  remove(actor: ScimActor, requests: readonly ResourceRequest[]): Promise<Outcome<null>[]>;
  /** Undefined: there is none that the actor may see. */
  read(actor: ScimActor, id: string, projection: Projection): Promise<Row | undefined>;
  /** Whether a PATCH is answered with the resource. */
  answersPatch(projection: Projection): boolean;
  /** A resource as JSON text. */
  text(row: Row, projection: Projection): string;
}
