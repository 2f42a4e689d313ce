import fc, { type Arbitrary } from 'fast-check';
import { elementFilters, isWritable, type Known, targetsOf, values } from './arbitraries.ts';
import type { Operation, Step } from './patch.ts';
import type { JsonResource, Path } from './query.ts';
import type { Definition, TypeSchema } from './schema.ts';
import { type Choose, writeFilter, writePath } from './write.ts';

/** Random PATCH operations that hold, and some that do not. */

const OPS = ['add', 'replace', 'remove'] as const;

/** Operations on a resource, of which value paths and lists often meet a value. */
export function operations(type: TypeSchema, resource: JsonResource): Arbitrary<Operation> {
  const known = targetsOf(type, [resource]);
  const paths = known.map(({ path }) => path).filter(({ definition }) => definition.name !== 'schemas');
  const writable = paths.filter(({ definition, sub }) => isWritable(definition) && (!sub || isWritable(sub)));
  const attribute = (among: readonly Path[]) => fc.constantFrom(...among).chain(attributeSteps);
  const step = fc.oneof(
    { weight: 4, arbitrary: attribute(writable.filter(({ sub }) => !sub)) },
    { weight: 2, arbitrary: attribute(writable.filter(({ sub }) => sub)) },
    { weight: 4, arbitrary: elementSteps(writable, known) },
    { weight: 1, arbitrary: extensionSteps(type) },
  );
  const refused = attribute(paths.filter(({ definition }) => !isWritable(definition)));
  const withPath = (op: Operation['op'], steps: Arbitrary<Step>) =>
    steps.map((each): Operation => ({ op, steps: [each], hasPath: true }));
  const withoutPath = fc
    .tuple(
      fc.constantFrom('add' as const, 'replace' as const),
      fc.uniqueArray(step, {
        maxLength: 4,
        selector: (each) => writeTarget(each, type, () => 0).toLowerCase(),
      }),
    )
    .map(([op, steps]): Operation => ({ op, steps, hasPath: false }));
  return fc.oneof(
    { weight: 10, arbitrary: withPath('add', step) },
    { weight: 5, arbitrary: withPath('add', repeatedSteps(writable, resource)) },
    { weight: 10, arbitrary: withPath('replace', step) },
    {
      weight: 7,
      arbitrary: withPath(
        'remove',
        step.map(({ target }) => ({ target })),
      ),
    },
    { weight: 3, arbitrary: withPath('remove', listedSteps(writable, resource)) },
    { weight: 10, arbitrary: withoutPath },
    { weight: 1, arbitrary: fc.constantFrom(...OPS).chain((op) => withPath(op, refused)) },
  );
}

interface Element {
  readonly value?: unknown;
  readonly type?: unknown;
}

/** The attributes with sub-attributes in lists, each with the elements that the resource has. */
function heldElements(
  writable: readonly Path[],
  resource: JsonResource,
): Arbitrary<readonly [Path, readonly Element[]]> {
  const owners = writable.filter(
    ({ sub, definition }) => !sub && definition.subAttributes && definition.multiValued,
  );
  return fc.constantFrom(...owners).map((path) => {
    const holder = (path.urn === undefined ? resource : resource[path.urn]) as JsonResource | undefined;
    return [path, (holder?.[path.definition.name] ?? []) as Element[]] as const;
  });
}

/** Some elements of the resource, whole or by their `value`, as clients list what is to be removed. */
function listedSteps(writable: readonly Path[], resource: JsonResource): Arbitrary<Step> {
  return heldElements(writable, resource).chain(([path, elements]) =>
    fc.tuple(fc.subarray([...elements]), fc.boolean()).map(([chosen, whole]): Step => {
      const value = chosen.map((each) => (whole || each.value === undefined ? each : { value: each.value }));
      return { target: { kind: 'attribute', path }, value };
    }),
  );
}

/** Elements that the resource has already, in another case, with another type, or with another name. */
function repeatedSteps(writable: readonly Path[], resource: JsonResource): Arbitrary<Step> {
  const changed = (element: Element) =>
    fc
      .constantFrom<(each: Element) => Element>(
        (each) => each,
        (each) => ({ ...each, ...(typeof each.value === 'string' && { value: each.value.toUpperCase() }) }),
        (each) => ({ ...each, ...(typeof each.type === 'string' && { type: each.type.toUpperCase() }) }),
        (each) => ({ ...each, type: 'home' }),
        ({ type: _type, ...each }) => each,
        (each) => ({ ...each, primary: true }),
      )
      .map((change) => change(element));
  return heldElements(writable, resource).chain(([path, elements]) =>
    fc
      .tuple(...elements.map(changed))
      .chain((all) => fc.subarray<unknown>(all))
      .map((value): Step => ({ target: { kind: 'attribute', path }, value })),
  );
}

const nothing = (definition: Definition) => fc.constantFrom(null, ...(definition.multiValued ? [[]] : []));

function attributeSteps(path: Path): Arbitrary<Step> {
  const definition = path.sub ?? path.definition;
  return fc
    .oneof({ weight: 8, arbitrary: values(definition) }, { weight: 1, arbitrary: nothing(definition) })
    .map((value) => ({ target: { kind: 'attribute', path }, value }));
}

function elementSteps(writable: readonly Path[], known: readonly Known[]): Arbitrary<Step> {
  const owners = writable.filter(
    ({ sub, definition }) => !sub && definition.multiValued && definition.subAttributes,
  );
  return fc.constantFrom(...owners).chain((path) => {
    const subs = (path.definition.subAttributes ?? []).filter(isWritable);
    const whole = values({ ...path.definition, multiValued: false });
    return fc
      .tuple(elementFilters(path, known), fc.option(fc.constantFrom(...subs), { nil: undefined, freq: 3 }))
      .chain(([filter, sub]) =>
        fc
          .oneof(
            { weight: 8, arbitrary: sub ? values(sub) : whole },
            { weight: 1, arbitrary: fc.constant(null) },
          )
          .map((value): Step => ({ target: { kind: 'element', path, filter, ...(sub && { sub }) }, value })),
      );
  });
}

function extensionSteps(type: TypeSchema): Arbitrary<Step> {
  return fc.constantFrom(...type.extensions).chain((urn) => {
    const inside = type.attributes.filter((each) => each.urn === urn && isWritable(each.definition));
    const parts = inside.map(({ definition }) => [
      definition.name,
      fc.option(values(definition), { freq: 8 }),
    ]);
    return fc
      .option(
        fc.record(Object.fromEntries(parts) as Record<string, Arbitrary<unknown>>, { requiredKeys: [] }),
        { freq: 4 },
      )
      .map((value): Step => ({ target: { kind: 'extension', urn }, value }));
  });
}

/** An operation as a client may write it. */
export function writeOperation({ op, steps, hasPath }: Operation, type: TypeSchema, choose: Choose): object {
  const written = choose(3) ? op : op.replace(/^./, (letter) => letter.toUpperCase());
  const [first] = steps;
  if (hasPath && first) {
    return {
      op: written,
      path: writeTarget(first, type, choose),
      ...('value' in first && { value: first.value }),
    };
  }
  return {
    op: written,
    value: Object.fromEntries(steps.map((step) => [writeTarget(step, type, choose), step.value])),
  };
}

function writeTarget({ target }: Step, type: TypeSchema, choose: Choose): string {
  switch (target.kind) {
    case 'extension':
      return target.urn;
    case 'attribute':
      return writePath(target.path, type, choose);
    case 'element': {
      const brackets = writeFilter(
        { kind: 'element', path: target.path, part: target.filter },
        type,
        choose,
        false,
      );
      return target.sub ? `${brackets}.${target.sub.name}` : brackets;
    }
  }
}
