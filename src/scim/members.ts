import { badRequest, inOperation } from './error.ts';
import { isObject, ownValue } from './json.ts';
import { note } from './quirks.ts';
import type { FilterNode, JsonValue, PatchOperation, Resource } from './types.ts';

/** One change of a group's members; ids are user ids in lower case. */
export type MemberStep =
  | { readonly kind: 'add' | 'remove' | 'replace'; readonly ids: string[] }
  | { readonly kind: 'removeWhere'; readonly filter: FilterNode };

/** The net effect of a list of steps: (reset ? nobody : the current members) without `remove`, with `add`. */
export interface MemberChange {
  readonly reset: boolean;
  readonly add: string[];
  readonly remove: string[];
}

/** The members of a group that was sent with POST or PUT, apart from the rest; undefined: none were named. */
export function takeMembers(resource: Resource): { resource: Resource; members: string[] | undefined } {
  const { members, ...rest } = resource;
  return { resource: rest, members: members === undefined ? undefined : userIds(members) };
}

/** Each of them is a question to the database, and clients remove members by their ids. */
const MAX_MEMBER_FILTERS = 20;

/**
 * Parts the operations of a group's PATCH: its members are rows and never loaded to be changed. Throws mutability
 * for the change of a member, and invalidValue for too many filters on members.
 */
export function splitMemberOperations(operations: readonly PatchOperation[]): {
  attributeOperations: PatchOperation[];
  steps: MemberStep[];
} {
  const attributeOperations: PatchOperation[] = [];
  const steps: MemberStep[] = [];
  for (const operation of operations) {
    const { target } = operation;
    const path = target.kind === 'attribute' || target.kind === 'element' ? target.path : undefined;
    if (path?.attribute.name !== 'members' || path.extension !== undefined) {
      attributeOperations.push(operation);
    } else steps.push(inOperation(operation.index, () => memberStep(operation)));
  }
  if (steps.filter(({ kind }) => kind === 'removeWhere').length > MAX_MEMBER_FILTERS) {
    throw badRequest(
      'invalidValue',
      `More than ${MAX_MEMBER_FILTERS} value paths do not name members by id: use members[value eq "…"]`,
    );
  }
  return { attributeOperations, steps };
}

function memberStep({ op, target, value, reading }: PatchOperation): MemberStep {
  if (target.kind === 'element' && target.subAttribute === undefined) {
    const ids = idsOf(target.filter);
    if (op === 'remove') return ids ? { kind: op, ids } : { kind: 'removeWhere', filter: target.filter };
    // `add members[value eq "a"]` with that same member: it is one afterwards.
    const [id] = userIds(value ?? []);
    if (ids?.length === 1 && ids[0] === id) {
      // Whether it is one already is not known without reading the group; then there would be nothing to do.
      if (reading) note(reading, 'valuePathCreates', 'members');
      return { kind: 'add', ids };
    }
  }
  if (target.kind === 'attribute' && target.path.subAttribute === undefined) {
    if (op === 'remove') {
      return value === undefined ? { kind: 'replace', ids: [] } : { kind: op, ids: memberIds(value) };
    }
    return { kind: op, ids: userIds(value ?? []) };
  }
  throw badRequest('mutability', 'A member cannot be changed: add it to "members" or remove it from there');
}

/** The ids of `value eq "a" or value eq "b"`; undefined: the filter asks for something else. */
function idsOf(filter: FilterNode): string[] | undefined {
  if (filter.kind === 'or') {
    const lists = filter.filters.map(idsOf);
    return lists.every((list) => list !== undefined) ? lists.flat() : undefined;
  }
  const isId =
    filter.kind === 'compare' && filter.operator === 'eq' && filter.path.subAttribute?.name === 'value';
  return isId && typeof filter.literal === 'string' ? [filter.literal.toLowerCase()] : undefined;
}

/** The ids of new members. A group among them is invalidValue: the alternative would be to leave its users out. */
function userIds(members: JsonValue): string[] {
  const ids = memberIds(members);
  for (const [index, member] of listOf(members).entries()) {
    const type = isObject(member) ? ownValue(member, 'type') : undefined;
    if (typeof type === 'string' && type.toLowerCase() === 'group') {
      throw badRequest(
        'invalidValue',
        `members[${index}] is a group: nested groups are not supported, add its users`,
      );
    }
  }
  return ids;
}

function memberIds(members: JsonValue): string[] {
  const ids = listOf(members).map((member, index) => {
    const value = isObject(member) ? ownValue(member, 'value') : undefined;
    if (typeof value === 'string') return value.toLowerCase();
    throw badRequest('invalidValue', `members[${index}].value is missing: it is the id of a user`);
  });
  return [...new Set(ids)];
}

function listOf(members: JsonValue): JsonValue[] {
  return Array.isArray(members) ? members : [members];
}

/** Whether a step needs the members themselves to be read; such a list cannot be folded. */
export function hasMemberFilter(steps: readonly MemberStep[]): boolean {
  return steps.some(({ kind }) => kind === 'removeWhere');
}

/** The net effect of the steps in their order. No id is in both `add` and `remove`. */
export function foldMemberSteps(steps: readonly MemberStep[]): MemberChange {
  let reset = false;
  const add = new Set<string>();
  const remove = new Set<string>();
  for (const step of steps) {
    if (step.kind === 'removeWhere') throw new Error('Steps with a member filter cannot be folded');
    if (step.kind === 'replace') {
      reset = true;
      add.clear();
      remove.clear();
    }
    for (const id of step.ids) {
      const [into, outOf] = step.kind === 'remove' ? [remove, add] : [add, remove];
      outOf.delete(id);
      into.add(id);
    }
  }
  return { reset, add: [...add], remove: reset ? [] : [...remove] };
}
