import t from 'tap';
import { startApp } from '../support/app.ts';
import {
  clientOf,
  type ErrorBody,
  GROUP,
  type List,
  PATCH_OP,
  type Resource,
  USER,
} from '../support/client.ts';
import { meets } from '../support/conformance.ts';

/** Versions of resources (RFC 7644 section 3.14) and their end (section 3.6). */

const app = await startApp(t);
const client = clientOf(app, await app.scimKey(await app.createTenant({ strictScim: true })));

/** What a test needs to know of a type: how to make one, and what to change. */
const TYPES = [
  { endpoint: '/Users', name: 'userName', schema: USER },
  { endpoint: '/Groups', name: 'displayName', schema: GROUP },
] as const;

const bodyOf = ({ schema, name }: (typeof TYPES)[number], value: string) => ({
  schemas: [schema],
  [name]: value,
});

const renaming = (path: string, value: string) => ({
  schemas: [PATCH_OP],
  Operations: [{ op: 'replace', path, value }],
});

meets(t, [257, 258, 261], 'a weak ETag goes with each resource, and is its meta.version', async (t) => {
  const config = await client.ask<{ etag: object }>('GET', '/ServiceProviderConfig');
  t.same(config.body.etag, { supported: true });
  for (const type of TYPES) {
    const { endpoint, name } = type;
    const created = await client.ask('POST', endpoint, bodyOf(type, 'First'));
    const path = `${endpoint}/${created.body.id}`;
    const answers = [
      created,
      await client.ask('GET', path),
      await client.ask('PUT', path, bodyOf(type, 'Second')),
      await client.ask('PATCH', `${path}?attributes=meta`, renaming(name, 'Third')),
      await client.ask('GET', path),
    ];
    const tags = answers.map(({ headers }) => headers.etag);
    t.same(
      answers.map(({ body }) => body.meta.version),
      tags,
    );
    for (const tag of tags) t.match(tag, /^W\/"[^"]+"$/);
    const [first, same, second, third, last] = tags;
    t.same([first, third], [same, last], 'reading changes nothing');
    t.equal(new Set([first, second, third]).size, 3, 'every change has a version of its own');
    const { body } = await client.ask<List>('GET', endpoint);
    t.equal(body.Resources[0]?.meta.version, last, 'lists say it too');
  }
});

meets(t, [259], 'a GET of what the client has is 304, and of anything else 200', async (t) => {
  for (const type of TYPES) {
    const { endpoint, name } = type;
    const { id, meta } = (await client.ask('POST', endpoint, bodyOf(type, 'Cached'))).body;
    const path = `${endpoint}/${id}?attributes=${name}`;
    const read = (tag: string) => client.ask('GET', path, undefined, { 'if-none-match': tag });
    for (const tag of [meta.version, `"other", ${meta.version}`, meta.version.slice(2), '*']) {
      t.match(await read(tag), { status: 304, text: '', headers: { etag: meta.version } }, tag);
    }
    t.match(await read('W/"other"'), { status: 200, body: { [name]: 'Cached' } });
    await client.ask('PATCH', `${endpoint}/${id}`, renaming(name, 'Changed'));
    t.match(await read(meta.version), { status: 200, body: { [name]: 'Changed' } });
  }
});

meets(t, [260], 'If-Match lets a write through at the version it names only', async (t) => {
  for (const type of TYPES) {
    const { endpoint, name } = type;
    const { id, meta } = (await client.ask('POST', endpoint, bodyOf(type, 'Guarded'))).body;
    const path = `${endpoint}/${id}`;
    const writes = (tag: string, value: string) => [
      () => client.ask<ErrorBody>('PUT', path, bodyOf(type, value), { 'if-match': tag }),
      () => client.ask<ErrorBody>('PATCH', path, renaming(name, value), { 'if-match': tag }),
      () => client.ask<ErrorBody>('DELETE', path, undefined, { 'if-match': tag }),
    ];
    for (const stale of ['W/"other"', 'W/"0"', '"x", W/"y"', 'nonsense']) {
      for (const write of writes(stale, 'Lost'))
        t.match(await write(), { status: 412, body: { status: '412' } }, stale);
    }
    t.match((await client.ask('GET', path)).body, { [name]: 'Guarded', meta: { version: meta.version } });
    const put = await client.ask('PUT', path, bodyOf(type, 'Put'), { 'if-match': `"x", ${meta.version}` });
    t.equal(put.status, 200);
    const again = await client.ask('PUT', path, bodyOf(type, 'Lost'), { 'if-match': meta.version });
    t.equal(again.status, 412, 'the version that was true before');
    const patched = await client.ask('PATCH', `${path}?attributes=meta`, renaming(name, 'Patched'), {
      'if-match': put.body.meta.version,
    });
    t.equal(patched.status, 200);
    const deleted = await client.ask('DELETE', path, undefined, { 'if-match': patched.body.meta.version });
    t.equal(deleted.status, 204);
  }
});

meets(t, [223, 224, 225, 226], 'what is deleted is found by nobody, and its name is free', async (t) => {
  for (const type of TYPES) {
    const { endpoint, name } = type;
    const { id } = (await client.ask('POST', endpoint, bodyOf(type, 'Gone'))).body;
    const path = `${endpoint}/${id}`;
    t.match(await client.ask('DELETE', path), { status: 204, text: '' });
    const later = [
      await client.ask('GET', path),
      await client.ask('PUT', path, bodyOf(type, 'Back')),
      await client.ask('PATCH', path, renaming(name, 'Back')),
      await client.ask('DELETE', path),
    ];
    for (const answer of later) t.match(answer, { status: 404, body: { status: '404' } });
    for (const filter of [`${name} eq "Gone"`, `id eq "${id}"`]) {
      t.equal((await client.list(endpoint, filter)).body.totalResults, 0, filter);
    }
    const all: readonly Resource[] = (await client.ask<List>('GET', endpoint)).body.Resources;
    t.notOk(all.some((each) => each.id === id));
    const anew = await client.ask('POST', endpoint, bodyOf(type, 'GONE'));
    t.equal(anew.status, 201);
    t.not(anew.body.id, id, 'a new resource, not the old one back');
  }
});

meets(t, [224], 'a deleted user is in no group any more', async (t) => {
  const user = await client.user('member');
  const group = await client.group('Left', [user.id]);
  await client.ask('DELETE', `/Users/${user.id}`);
  t.notOk('members' in (await client.ask('GET', `/Groups/${group.id}`)).body);
  t.equal((await client.list('/Groups', `members.value eq "${user.id}"`)).body.totalResults, 0);
});
