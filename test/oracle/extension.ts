/** What a tenant may declare: every type that no schema of the RFC uses, alone, in lists and as parts. */
const simple = [
  { name: 'level', type: 'integer' },
  { name: 'score', type: 'decimal' },
  { name: 'remote', type: 'boolean' },
  { name: 'hired', type: 'dateTime' },
  { name: 'key', type: 'binary' },
  { name: 'home', type: 'reference', referenceTypes: ['external'] },
  { name: 'code', caseExact: true },
  // The core schema has attributes of these names too.
  { name: 'title', caseExact: true },
  { name: 'nickName', multiValued: true },
];
const several = simple
  .filter(({ name }) => !['title', 'nickName'].includes(name))
  .map((each) => ({ ...each, name: `${each.name}s`, multiValued: true }));

export const OWN_EXTENSION = {
  id: 'urn:example:params:scim:schemas:extension:own:1.0:User',
  name: 'Own',
  attributes: [
    ...simple,
    ...several,
    { name: 'desk', type: 'complex', subAttributes: [...simple.slice(0, 7), { name: 'floor' }] },
    {
      name: 'badges',
      type: 'complex',
      multiValued: true,
      subAttributes: [
        ...simple.slice(0, 7),
        { name: 'value', caseExact: true },
        { name: 'type' },
        { name: 'primary', type: 'boolean' },
      ],
    },
  ],
};
