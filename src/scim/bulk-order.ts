import type { BulkOperation, RefusedOperation } from './bulk.ts';

type Operation = BulkOperation | RefusedOperation;

/** What is carried out at once: one operation, or POSTs that refer to each other in a circle. */
export type Unit = readonly [RefusedOperation] | readonly [BulkOperation, ...BulkOperation[]];

interface Place {
  readonly unit: Unit;
  /** How many units have to come before this one, and have not yet. */
  missing: number;
  /** The units that wait for this one. */
  readonly behind: Set<Place>;
}

/**
 * The order in which operations are carried out (RFC 7644 section 3.7): the one in which they were sent, except
 * that what refers to a resource which is created further down comes behind everything else, and behind it in
 * their order those later operations that name or change the same resources. A circle (section 3.7.1) stands where
 * the last of its operations stood.
 * @param pause lets the process serve others, between any two operations.
 */
export async function inOrder(operations: readonly Operation[], pause: () => Promise<void>): Promise<Unit[]> {
  const places = unitsOf(operations).map((unit): Place => ({ unit, missing: 0, behind: new Set() }));
  await connect(places, pause);
  const ordered: Unit[] = [];
  let waiting = places;
  while (waiting.length > 0) {
    const stillWaiting: Place[] = [];
    for (const place of waiting) {
      if (place.missing > 0) stillWaiting.push(place);
      else {
        ordered.push(place.unit);
        for (const behind of place.behind) behind.missing -= 1;
      }
    }
    waiting = stillWaiting;
  }
  return ordered;
}

function isRefused(operation: Operation): operation is RefusedOperation {
  return 'refusal' in operation;
}

/** The operations, those of a circle together, by the place of their last one. */
function unitsOf(operations: readonly Operation[]): Unit[] {
  const posts = operations.filter(
    (each): each is BulkOperation => !isRefused(each) && each.method === 'POST',
  );
  const circles = new Map<Operation, Unit>();
  for (const circle of circlesAmong(posts)) circles.set(circle.at(-1) as Operation, circle);
  const inCircles = new Set<Operation>([...circles.values()].flat());
  return operations.flatMap((each): Unit[] => {
    const circle = circles.get(each);
    if (circle) return [circle];
    if (inCircles.has(each)) return [];
    return [isRefused(each) ? [each] : [each]];
  });
}

/**
 * Says who waits for whom: everything for the POSTs that it refers to; a PUT, PATCH or DELETE also for those before
 * it that name its resource, and for the last that changed what it names. POSTs wait for POSTs alone, and not in
 * circles; the others wait for what stood before them: so there is always one that waits for nobody.
 */
async function connect(places: readonly Place[], pause: () => Promise<void>): Promise<void> {
  const creators = new Map<string, Place>();
  for (const place of places) {
    for (const each of place.unit) {
      if (!isRefused(each) && each.method === 'POST') creators.set(each.resource.id, place);
    }
  }
  const lastWriter = new Map<string, Place>();
  const readers = new Map<string, Place[]>();
  for (const place of places) {
    for (const each of place.unit) {
      await pause();
      if (isRefused(each)) continue;
      for (const id of each.needs.keys()) waitFor(place, creators.get(id));
      if (each.method !== 'POST') {
        const { id } = each.resource;
        for (const named of [id, ...each.names]) waitFor(place, lastWriter.get(named));
        for (const reader of readers.get(id) ?? []) waitFor(place, reader);
        readers.delete(id);
        lastWriter.set(id, place);
      }
      for (const id of each.names) {
        const known = readers.get(id);
        if (known) known.push(place);
        else readers.set(id, [place]);
      }
    }
  }
}

function waitFor(place: Place, first: Place | undefined): void {
  if (first === undefined || first === place || first.behind.has(place)) return;
  first.behind.add(place);
  place.missing += 1;
}

/** The circles of more than one POST (Tarjan's strongly connected components), each in the order of the request. */
function circlesAmong(posts: readonly BulkOperation[]): [BulkOperation, ...BulkOperation[]][] {
  const byId = new Map(posts.map((post) => [post.resource.id, post]));
  const found = new Map<BulkOperation, number>();
  const open: BulkOperation[] = [];
  const closed = new Set<BulkOperation>();
  const circles: BulkOperation[][] = [];

  /** Answers the earliest found operation that can be reached from `post`. */
  function visit(post: BulkOperation): number {
    const own = found.size;
    found.set(post, own);
    open.push(post);
    let earliest = own;
    for (const id of post.needs.keys()) {
      const needed = byId.get(id);
      if (needed === undefined || closed.has(needed)) continue;
      earliest = Math.min(earliest, found.get(needed) ?? visit(needed));
    }
    if (earliest === own) {
      const circle = open.splice(open.indexOf(post));
      for (const each of circle) closed.add(each);
      circles.push(circle);
    }
    return earliest;
  }

  for (const post of posts) if (!found.has(post)) visit(post);
  return circles
    .filter((circle) => circle.length > 1)
    .map((circle) => circle.sort((left, right) => left.index - right.index) as [BulkOperation]);
}
