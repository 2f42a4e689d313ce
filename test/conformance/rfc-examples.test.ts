import t, { type Test } from 'tap';
import { startApp } from '../support/app.ts';
import { type Client, clientOf, PATCH_OP, type Resource, USER } from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/**
 * The requests that RFC 7644 prints: figure 6, and the examples of sections 3.5.1 to 3.6 and 3.14. A strict tenant
 * reads them; those without a path, which strict mode refuses, a lenient one. Ids and versions are ours, and what the
 * RFC shortens by "..." is whole.
 */

const app = await startApp(t);
const client = clientOf(app, await app.scimKey(await app.createTenant({ strictScim: true })));
const lenient = clientOf(app, await app.scimKey(await app.createTenant()));
const babs = await client.user('babs', { displayName: 'Babs Jensen' });
const james = await client.user('james', { displayName: 'James Smith' });

const memberOf = ({ id, displayName, meta }: Resource) => ({
  display: displayName,
  $ref: meta.location,
  value: id,
});

let count = 0;

/** Sends the body of an example with the version that the group has, and says who is in it afterwards. */
async function membersAfter(
  t: Test,
  before: readonly Resource[],
  Operations: readonly object[],
): Promise<string[]> {
  const group = await client.group(
    `Tour Guides ${++count}`,
    before.map(({ id }) => id),
  );
  const path = `/Groups/${group.id}`;
  const match = { 'if-match': group.meta.version };
  const answer = await client.ask('PATCH', path, { schemas: [PATCH_OP], Operations }, match);
  t.equal(answer.status, 204, answer.text);
  t.not(answer.headers.etag, group.meta.version);
  return ((await client.ask('GET', path)).body.members ?? []).map(({ value }) => value);
}

meets(t, [205], 'section 3.5.2.1: a member is added to a group', async (t) => {
  const operations = [{ op: 'add', path: 'members', value: [memberOf(babs)] }];
  t.same(await membersAfter(t, [james], operations), [james.id, babs.id].sort());
});

meets(
  t,
  [202],
  'section 3.5.2.1: attributes are added without a path, one of them in another case',
  async (t) => {
    const { id } = await lenient.user('barbara', {
      emails: [{ value: 'bjensen@example.com', type: 'work' }],
    });
    const value = { emails: [{ value: 'babs@jensen.org', type: 'home' }], nickname: 'Babs' };
    t.match((await lenient.patch(`/Users/${id}`, [{ op: 'add', value }])).body, {
      emails: [{ value: 'bjensen@example.com' }, { value: 'babs@jensen.org', type: 'home' }],
      nickName: 'Babs',
    });
  },
);

meets(t, [211, 212], 'section 3.5.2.2: one member leaves, or all', async (t) => {
  const one = [{ op: 'remove', path: `members[value eq "${babs.id}"]` }];
  t.same(await membersAfter(t, [babs, james], one), [james.id]);
  t.same(await membersAfter(t, [babs, james], [{ op: 'remove', path: 'members' }]), []);
});

meets(t, [212], 'section 3.5.2.2: an e-mail address is removed by two terms', async (t) => {
  const emails = [
    { value: 'bjensen@example.com', type: 'work' },
    { value: 'babs@jensen.org', type: 'home' },
  ];
  const { id } = await client.user('mailed', { emails });
  const path = 'emails[type eq "work" and value ew "example.com"]';
  t.strictSame((await client.patch(`/Users/${id}`, [{ op: 'remove', path }])).body.emails, emails.slice(1));
});

meets(t, [194], 'section 3.5.2.2: members come and go in one request', async (t) => {
  const exchange = [
    // The RFC leaves out the space behind "eq".
    { op: 'remove', path: `members[value eq"${babs.id}"]` },
    { op: 'add', path: 'members', value: [memberOf(james)] },
  ];
  t.same(await membersAfter(t, [babs], exchange), [james.id]);
  const anew = [
    { op: 'remove', path: 'members' },
    { op: 'add', path: 'members', value: [memberOf(babs), memberOf(james)] },
  ];
  t.same(await membersAfter(t, [james], anew), [babs.id, james.id].sort());
});

meets(t, [217], 'section 3.5.2.3: all members are replaced', async (t) => {
  const operations = [{ op: 'replace', path: 'members', value: [memberOf(babs), memberOf(james)] }];
  t.same(await membersAfter(t, [james], operations), [babs.id, james.id].sort());
});

meets(t, [195, 220, 221], 'section 3.5.2.3: the work address is replaced, and then its street', async (t) => {
  const { id } = await client.user('moved', {
    addresses: [
      { type: 'home', locality: 'Home', primary: true },
      { type: 'work', streetAddress: 'Old', region: 'NY' },
    ],
  });
  const value = {
    type: 'work',
    streetAddress: '911 Universal City Plaza',
    locality: 'Hollywood',
    region: 'CA',
    postalCode: '91608',
    country: 'US',
    formatted: '911 Universal City Plaza\nHollywood, CA 91608 US',
    primary: true,
  };
  const whole = await client.patch(`/Users/${id}`, [
    { op: 'replace', path: 'addresses[type eq "work"]', value },
  ]);
  t.same(whole.body.addresses, [{ type: 'home', locality: 'Home', primary: false }, value]);
  const path = 'addresses[type eq "work"].streetAddress';
  const street = await client.patch(`/Users/${id}`, [{ op: 'replace', path, value: '1010 Broadway Ave' }]);
  t.match(street.body.addresses, [{ type: 'home' }, { ...value, streetAddress: '1010 Broadway Ave' }]);
});

meets(t, [216], 'section 3.5.2.3: attributes are replaced without a path, others are not', async (t) => {
  const { id } = await lenient.user('replaced', {
    emails: [{ value: 'old@example.com' }],
    nickName: 'B',
    title: 'T',
  });
  const emails = [
    { value: 'bjensen@example.com', type: 'work', primary: true },
    { value: 'babs@jensen.org', type: 'home' },
  ];
  const { body } = await lenient.patch(`/Users/${id}`, [
    { op: 'replace', value: { emails, nickname: 'Babs' } },
  ]);
  t.same([body.emails, body.nickName, body.title], [emails, 'Babs', 'T']);
});

meets(t, [188], 'figure 8: every path that it lists and that the schema has', async (t) => {
  for (const path of ['members', `members[value eq "${babs.id}"]`]) {
    t.same(await membersAfter(t, [babs], [{ op: 'remove', path }]), []);
  }
  for (const path of ['name.familyName', 'addresses[type eq "work"]']) {
    const { id } = await client.user(`figure-8-${path}`, {
      name: { familyName: 'F' },
      addresses: [{ type: 'work', locality: 'L' }],
    });
    const { status, body } = await client.patch(`/Users/${id}`, [{ op: 'remove', path }]);
    t.equal(status, 200);
    t.notOk(path.split(/[.[]/, 1).some((name) => String(name) in body));
  }
});

meets(
  t,
  [173, 174, 176, 181, 260],
  'section 3.5.1: the user is replaced, under the version that was read',
  async (t) => {
    const { id, meta } = await client.user('bjensen', { title: 'Old', roles: [{ value: 'x' }] });
    const sent = {
      schemas: [USER],
      id: '2819c223-7f76-453a-919d-413861904646',
      userName: 'bjensen',
      externalId: 'bjensen',
      name: {
        formatted: 'Ms. Barbara J Jensen III',
        familyName: 'Jensen',
        givenName: 'Barbara',
        middleName: 'Jane',
      },
      roles: [],
      emails: [{ value: 'bjensen@example.com' }, { value: 'babs@jensen.org' }],
    };
    const { status, body, headers } = await client.ask('PUT', `/Users/${id}`, sent, {
      'if-match': meta.version,
    });
    t.equal(status, 200);
    const { roles: _cleared, ...kept } = sent;
    const { meta: after, active: _default, ...answered } = body;
    t.same(answered, { ...kept, id });
    t.match(after, { ...meta, lastModified: String, version: headers.etag });
    t.not(headers.etag, meta.version);
  },
);

meets(
  t,
  [257, 258, 259],
  'section 3.14: the version of a new user, and a GET that asks whether it is current',
  async (t) => {
    const created = await client.ask('POST', '/Users', {
      schemas: [USER],
      userName: 'versioned',
      externalId: 'bjensen',
      name: { formatted: 'Ms. Barbara J Jensen III', familyName: 'Jensen', givenName: 'Barbara' },
    });
    const { id, meta } = created.body;
    t.match(created, { status: 201, headers: { etag: meta.version, location: meta.location } });
    const path = `/Users/${id}?attributes=displayName`;
    const again = await client.ask('GET', path, undefined, { 'if-none-match': meta.version });
    t.match(again, { status: 304, text: '', headers: { etag: meta.version } });
  },
);

meets(t, [223, 226], 'section 3.6: a user is deleted under its version, and is not found', async (t) => {
  const { id, meta } = await client.user('leaving');
  const deleted = await client.ask('DELETE', `/Users/${id}`, undefined, { 'if-match': meta.version });
  t.match(deleted, { status: 204, text: '' });
  await notFound(t, client, `/Users/${id}`);
});

async function notFound(t: Test, from: Client, path: string): Promise<void> {
  t.match(await from.ask('GET', path), {
    status: 404,
    body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '404', detail: String },
  });
}
