import t from 'tap';
import { startApp } from '../support/app.ts';
import { ENTERPRISE, GROUP, type List, newClient, type Resource, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** RFC 7643 sections 2.1 and 3: what every resource has, whatever its type. */

const app = await startApp(t);
const client = await newClient(app);

/** A User and a Group that were created, with all the answers that have shown them. */
async function shown(userName: string): Promise<readonly (readonly [type: string, answers: Answered[]])[]> {
  const user = await client.ask('POST', '/Users', { schemas: [USER], userName });
  const group = await client.ask('POST', '/Groups', { schemas: [GROUP], displayName: userName });
  const rename = [{ op: 'replace', path: 'externalId', value: 'x' }];
  return [
    [
      'User',
      [
        user,
        await client.ask('GET', `/Users/${user.body.id}`),
        await client.patch(`/Users/${user.body.id}`, rename),
        await client.ask('PUT', `/Users/${user.body.id}`, { schemas: [USER], userName, title: 'T' }),
      ],
    ],
    [
      'Group',
      [
        group,
        await client.ask('GET', `/Groups/${group.body.id}`),
        await client.patch(`/Groups/${group.body.id}?attributes=externalId,meta`, rename),
        await client.ask('PUT', `/Groups/${group.body.id}`, { schemas: [GROUP], displayName: userName }),
      ],
    ],
  ];
}
type Answered = Awaited<ReturnType<typeof client.ask<Resource>>>;

const post = (body: object) => client.ask('POST', '/Users', body);

await meets(t, [32, 36], 'answers have schemas with the base schema, and so must what is sent', async (t) => {
  for (const [type, answers] of await shown('schemas')) {
    for (const { body } of answers) t.same(body.schemas, [type === 'User' ? USER : GROUP]);
  }
  const narrowed = await client.ask<List>('GET', '/Users?attributes=userName&count=1');
  t.same(narrowed.body.Resources[0]?.schemas, [USER]);
  for (const schemas of [[GROUP], [ENTERPRISE], 'no list', [1]])
    t.match(await post({ schemas, userName: 'based' }), {
      status: 400,
      body: { scimType: 'invalidSyntax', detail: /schemas/ },
    });
  const strict = await newClient(app, { strictScim: true });
  for (const schemas of [undefined, null, []])
    t.match(await strict.ask('POST', '/Users', { schemas, userName: 'strict' }), {
      status: 400,
      body: { scimType: 'invalidSyntax', detail: /schemas/ },
    });
});

await meets(
  t,
  [33],
  'schemas that the type does not have are not answered, and strictly refused',
  async (t) => {
    const schemas = [USER, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:USERS'];
    const lenient = await post({ schemas, userName: 'others' });
    t.match(lenient, { status: 201 });
    t.same(lenient.body.schemas, [USER]);
    const strict = await newClient(app, { strictScim: true });
    t.match(await strict.ask('POST', '/Users', { schemas, userName: 'others' }), {
      status: 400,
      body: { scimType: 'invalidSyntax', detail: /USERS/ },
    });
  },
);

await meets(t, [34, 35], 'schemas has each value once, and its order means nothing', async (t) => {
  const extension = { [ENTERPRISE]: { department: 'D' } };
  const orders = [
    [USER, ENTERPRISE],
    [ENTERPRISE, USER],
    [ENTERPRISE, USER, ENTERPRISE, USER],
  ];
  for (const [index, schemas] of orders.entries()) {
    const { status, body } = await post({ schemas, userName: `order-${index}`, ...extension });
    t.equal(status, 201);
    t.same(body.schemas, [USER, ENTERPRISE]);
    t.same(body[ENTERPRISE], { department: 'D' });
  }
});

await meets(t, [37], 'attributes of an extension stand under its URN, and nowhere else', async (t) => {
  const { body } = await post({
    schemas: [USER, ENTERPRISE],
    userName: 'extended',
    costCenter: 'at the top',
    [ENTERPRISE]: { employeeNumber: '1', userName: 'inside' },
  });
  t.same(body[ENTERPRISE], { employeeNumber: '1' });
  t.notOk('costCenter' in body || 'employeeNumber' in body);
  t.equal(body.userName, 'extended');
});

interface AttributeBody {
  readonly name: string;
  readonly subAttributes?: readonly AttributeBody[];
  readonly [characteristic: string]: unknown;
}
type SchemaBody = Resource & { readonly attributes: readonly AttributeBody[] };

const attributesOf = async (urn: string) =>
  (await client.ask<SchemaBody>('GET', `/Schemas/${urn}`)).body.attributes;

await meets(
  t,
  [38, 43, 52],
  'Users and Groups have id, externalId and meta, as the RFC defines them',
  async (t) => {
    for (const urn of [USER, GROUP]) {
      const attributes = await attributesOf(urn);
      const find = (name: string) => attributes.find((attribute) => attribute.name === name);
      t.match(find('id'), {
        caseExact: true,
        mutability: 'readOnly',
        returned: 'always',
        multiValued: false,
      });
      t.match(find('externalId'), {
        caseExact: true,
        mutability: 'readWrite',
        returned: 'default',
        required: false,
      });
      const meta = find('meta');
      t.match(meta, { type: 'complex', mutability: 'readOnly', returned: 'default' });
      const parts = Object.fromEntries((meta?.subAttributes ?? []).map((part) => [part.name, part]));
      t.match(parts, {
        resourceType: { caseExact: true },
        created: { type: 'dateTime' },
        lastModified: { type: 'dateTime' },
        location: { type: 'reference' },
        version: { caseExact: true },
      });
      for (const part of Object.values(parts)) t.match(part, { mutability: 'readOnly', returned: 'default' });
    }
    const { id } = await client.user('identified');
    for (const query of ['attributes=userName', 'excludedAttributes=id,userName'])
      t.equal((await client.ask('GET', `/Users/${id}?${query}`)).body.id, id, query);
    t.match(await client.list('/Users', `id eq "${id.toUpperCase()}"`), { body: { totalResults: 0 } });
  },
);

await meets(t, [39, 41, 42, 46], 'id and meta are ours, whatever a client sends for them', async (t) => {
  const sent = {
    id: 'bulkId:mine',
    meta: { resourceType: 'Device', created: '2001-01-01T00:00:00Z', version: 'W/"99"', location: 'x' },
  };
  const created = await post({ schemas: [USER], userName: 'ours', ...sent });
  t.equal(created.status, 201);
  const { id, meta } = created.body;
  const ours = {
    resourceType: 'User',
    created: /^20[2-9]/,
    version: 'W/"1"',
    location: RegExp(`/Users/${id}$`),
  };
  t.match(id, /^[0-9a-f-]{36}$/);
  t.notMatch(id, /bulkId/i);
  t.match(meta, ours);
  const replaced = await client.ask('PUT', `/Users/${id}`, { schemas: [USER], userName: 'ours', ...sent });
  t.match(
    replaced,
    { status: 200, body: { id, meta: ours } },
    'a PUT with another id and meta changes nothing',
  );
  for (const [path, value] of [
    ['id', 'mine'],
    ['meta.version', 'W/"99"'],
    ['meta', sent.meta],
  ] as const)
    t.match(await client.patch(`/Users/${id}`, [{ op: 'replace', path, value }]), {
      status: 400,
      body: { scimType: 'mutability' },
    });
  t.same((await client.ask('GET', `/Users/${id}`)).body, created.body);
  const without = await client.ask('GET', `/Users/${id}?excludedAttributes=meta`);
  t.notOk('meta' in without.body);
});

await meets(
  t,
  [40],
  'an id is never given twice, not to a Group and not to a user of the same name',
  async (t) => {
    const ids: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const { id } = await client.user('again');
      ids.push(id, (await client.group('Again')).id);
      for (const path of ['/Users', `/Users/${id}`]) t.ok((await client.ask('GET', path)).text.includes(id));
      await client.ask('DELETE', `/Users/${id}`);
      await client.ask('DELETE', `/Groups/${ids.at(-1)}`);
    }
    t.equal(new Set(ids).size, 6);
  },
);

await meets(
  t,
  [44, 45],
  'externalId is what the client set, with its case, and may stand twice',
  async (t) => {
    const none = await client.user('no-external');
    t.notOk('externalId' in (await client.ask('GET', `/Users/${none.id}`)).body);
    for (const userName of ['first', 'second']) {
      const created = await post({ schemas: [USER], userName, externalId: 'Ext-1' });
      t.match(created, { status: 201, body: { externalId: 'Ext-1' } });
    }
    t.match(await client.list('/Users', 'externalId eq "Ext-1"'), { body: { totalResults: 2 } });
    t.match(await client.list('/Users', 'externalId eq "ext-1"'), { body: { totalResults: 0 } });
    const stranger = await newClient(app);
    t.match(await stranger.list('/Users', 'externalId eq "Ext-1"'), { body: { totalResults: 0 } });
  },
);

await meets(
  t,
  [47, 48, 49, 50, 51],
  'meta says type, times, location and version, as the headers do',
  async (t) => {
    for (const [type, answers] of await shown('meta')) {
      const created = answers[0]?.body.meta as Resource['meta'] & { created: string };
      t.equal(created.lastModified, created.created);
      t.match(created.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      t.notOk(Number.isNaN(Date.parse(created.created)));
      for (const { headers, body } of answers) {
        t.match(body.meta, { resourceType: type, created: created.created, location: created.location });
        t.equal(headers['content-location'], body.meta.location);
        t.equal(headers.etag, body.meta.version);
        t.match(body.meta.version, /^W\/"[^"]+"$/);
      }
      const [first, read, patched, replaced] = answers.map(({ body }) => body.meta);
      t.same(read, first, 'reading changes nothing');
      t.not(patched?.version, first?.version);
      t.not(replaced?.version, patched?.version);
      t.ok(String(replaced?.lastModified) >= String(first?.lastModified));
    }
    const idle = await client.user('idle');
    await client.patch(`/Users/${idle.id}`, [{ op: 'replace', path: 'userName', value: 'idle' }]);
    t.same(
      (await client.ask('GET', `/Users/${idle.id}`)).body.meta,
      idle.meta,
      'without effect no modification',
    );
  },
);

await meets(
  t,
  [53, 80],
  'names obey the grammar, and no part of a complex attribute is complex',
  async (t) => {
    for (const urn of [USER, GROUP, ENTERPRISE]) {
      for (const { name, subAttributes = [] } of await attributesOf(urn)) {
        t.match(name, /^[A-Za-z][\w$-]*$/);
        for (const part of subAttributes) {
          // The RFC's own `$ref` does not obey its grammar.
          t.match(part.name, /^(?:\$ref|[A-Za-z][\w$-]*)$/);
          t.not(part.type, 'complex', `${name}.${part.name}`);
        }
      }
    }
    t.match(
      await client.patch(`/Users/${(await client.user('grammar')).id}`, [
        { op: 'add', path: '1x', value: 1 },
      ]),
      {
        status: 400,
        body: { scimType: 'invalidPath' },
      },
    );
  },
);

await meets(
  t,
  [54],
  'names are read in any case everywhere, and answered in the case of the schema',
  async (t) => {
    const { status, body } = await post({
      SCHEMAS: [USER.toUpperCase(), ENTERPRISE],
      USERNAME: 'anycase',
      Name: { GIVENNAME: 'A' },
      EMails: [{ VALUE: 'a@x.example', Primary: true }],
      [ENTERPRISE.toUpperCase()]: { DEPARTMENT: 'D' },
    });
    t.equal(status, 201);
    const canonical = {
      userName: 'anycase',
      name: { givenName: 'A' },
      emails: [{ value: 'a@x.example', primary: true }],
      [ENTERPRISE]: { department: 'D' },
    };
    t.match(body, canonical);
    t.match(
      await client.list(
        '/Users',
        'USERNAME eq "anycase" and eMAILS[VALUE ew "EXAMPLE"]',
        '&SORTBY=NAME.GIVENNAME',
      ),
      {
        status: 200,
        body: { totalResults: 1 },
      },
    );
    const narrowed = await client.ask(
      'GET',
      `/Users/${body.id}?attributes=NAME.givenname,${ENTERPRISE}:DEPARTMENT`,
    );
    t.match(narrowed.body, { name: { givenName: 'A' }, [ENTERPRISE]: { department: 'D' } });
    t.notOk('userName' in narrowed.body);
    const patched = await client.patch(`/Users/${body.id}`, [
      { op: 'replace', path: 'NAME.GivenName', value: 'B' },
      { op: 'replace', path: 'EMAILS[VALUE eq "a@x.example"].TYPE', value: 'work' },
    ]);
    t.match(patched, { status: 200, body: { name: { givenName: 'B' }, emails: [{ type: 'work' }] } });
  },
);
