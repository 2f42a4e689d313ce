import t from 'tap';
import { attribute } from '../../src/scim/schemas/attribute.ts';
import { extensionsOf } from '../../src/tenants/schema-extensions.ts';

/** What a key's look-up brings along of its tenant's schema, as text. */

const textOf = (urn: string, description = '') =>
  JSON.stringify([
    [
      urn,
      {
        name: 'Custom',
        description,
        required: true,
        attributes: [attribute({ name: 'a', description: '' })],
      },
    ],
  ]);

t.test('the text is read as extensions', async (t) => {
  t.match(extensionsOf(textOf('urn:example:a')), [
    { required: true, schema: { id: 'urn:example:a', name: 'Custom', attributes: [{ name: 'a' }] } },
  ]);
  t.same(extensionsOf(null), []);
});

t.test(
  'the same text gives the same extensions, so that what follows from them is worked out once',
  async (t) => {
    t.equal(extensionsOf(textOf('urn:example:b')), extensionsOf(textOf('urn:example:b')));
    t.equal(extensionsOf(null), extensionsOf(null));
    t.not(extensionsOf(textOf('urn:example:b')), extensionsOf(textOf('urn:example:c')));
  },
);

t.test('what is remembered has a bound: the first texts make room', async (t) => {
  const first = extensionsOf(textOf('urn:example:first'));
  const long = 'x'.repeat(1_000_000);
  const others = Array.from({ length: 20 }, (_, index) =>
    extensionsOf(textOf(`urn:example:n${index}`, long)),
  );
  t.not(extensionsOf(textOf('urn:example:first')), first);
  t.equal(extensionsOf(textOf('urn:example:n19', long)), others[19]);
});
