import t from 'tap';
import { startApp } from '../../support/app.ts';
import { clientOf, type ErrorBody, type List, SCIM, USER } from '../../support/client.ts';
import { meets } from '../../support/conformance.ts';

const app = await startApp(t);
const key = await app.scimKey(await app.createTenant());
const user = await clientOf(app, key).user('versioned');

await meets(t, [22], 'a URL without a version means the newest', async (t) => {
  const unversioned = '/api/scim';
  const listed = await app.send<List>('GET', `${unversioned}/Users?filter=userName%20eq%20"versioned"`, {
    key,
  });
  t.match(listed, { status: 200, body: { totalResults: 1, Resources: [{ id: user.id }] } });
  t.match(await app.send('GET', `${unversioned}/Users/${user.id}`, { key }), {
    status: 200,
    headers: { 'content-location': user.meta.location },
    body: { id: user.id },
  });
  const created = await app.send('POST', '//api//scim//users', {
    key,
    body: { schemas: [USER], userName: 'b' },
  });
  t.match(created, { status: 201, headers: { location: RegExp(`${SCIM}/Users/`) } });
  t.match(await app.send('GET', `${unversioned}/ServiceProviderConfig`), { status: 200 });
  t.match(await app.send('GET', `${unversioned}/Users`), { status: 401 }, 'and opens nothing without a key');
  t.match(await app.send('GET', `${unversioned}/Nothing`), { status: 404, body: { status: '404' } });
});

await meets(t, [21, 255], 'the version stands before the endpoint; any but v2 is refused', async (t) => {
  for (const version of ['v1', 'v1.1', 'V3', 'v20']) {
    for (const [method, body] of [['GET'], ['POST', '{"broken'], ['DELETE']] as const) {
      const answer = await app.send<ErrorBody>(method, `/api/scim/${version}/Users`, { key, body });
      t.match(answer, { status: 400, body: { status: '400', scimType: 'invalidVers', detail: /v2/ } });
      t.equal(answer.headers['content-type'], 'application/scim+json');
    }
  }
  for (const path of ['/api/scim', '/api/scim/', '/api/scim/Users/v2', '/api/scim/v2/v2/Users'])
    t.match(await app.send('GET', path, { key }), { status: 404, body: { status: '404' } }, path);
  t.equal((await app.send('GET', '/API/SCIM/V2/Users', { key })).status, 200);
});
