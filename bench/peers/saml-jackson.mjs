import { createHash } from 'node:crypto';
import jackson from '@boxyhq/saml-jackson';
import pg from 'pg';
import { numbersIn, userId, userOf } from '../../dist/bench/population.js';
import { bodyOf, populations, serve } from './serve.mjs';

/**
 * saml-jackson (Ory Polis) as a library, which is faster than its own server: its directory sync behind the least of
 * one. People are written as its store keeps them: JSON under a key, and a row for each value that it looks for.
 */

const PRODUCT = 'bench';
const PATH = '/scim';

const { directorySyncController } = await jackson.controllers({
  externalUrl: 'http://127.0.0.1',
  samlPath: '/saml',
  scimPath: PATH,
  logger: { info: () => {} },
  noAnalytics: true,
  db: {
    engine: 'sql',
    type: 'postgres',
    url: process.env.DATABASE_URL,
    // As many users a page as the others are asked for; by default it is 50.
    pageLimit: 100,
    cleanupLimit: 1_000,
    ttl: 300,
  },
});

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();

const digest = (text) => createHash('ripemd160').update(text).digest('hex');

/** Rows of `{key, value, indexes: [name, value][]}` in a namespace of the store. */
async function put(namespace, rows) {
  const keys = rows.map(({ key }) => `${namespace}:${digest(key)}`);
  await client.query(
    `insert into jackson_store (key, value, "modifiedAt", namespace)
     select key, value, now(), $3 from unnest($1::text[], $2::text[]) as s (key, value)`,
    [keys, rows.map(({ value }) => JSON.stringify(value)), namespace],
  );
  const indexes = rows.flatMap((row, n) => row.indexes.map((index) => [keys[n], ...index]));
  await client.query(
    `insert into jackson_index (key, "storeKey") select * from unnest($1::text[], $2::text[])`,
    [indexes.map(([, name, value]) => `${namespace}:${name}:${digest(value)}`), indexes.map(([key]) => key)],
  );
}

async function fill(directory, population) {
  const of = (type) => `dsync:${type}:${directory.tenant}:${directory.product}`;
  for (const list of numbersIn(population.users)) {
    await put(
      of('users'),
      list.map((n) => userRow(directory, population, n)),
    );
  }
  for (const { id, displayName, members } of population.groups) {
    const value = { id, name: displayName, raw: { displayName, id, members: [] } };
    const indexes = [
      ['directoryIdDisplayname', `${directory.id}:${displayName}`],
      ['directoryId', directory.id],
    ];
    await put(of('groups'), [{ key: id, value, indexes }]);
    for (const list of numbersIn(members)) {
      await put(
        of('members'),
        list.map((n) => memberRow(id, userId(population, n))),
      );
    }
  }
}

function userRow(directory, population, n) {
  const id = userId(population, n);
  const raw = { ...userOf(population, n), id };
  const { givenName, familyName } = raw.name;
  const email = raw.userName;
  return {
    key: id,
    value: {
      first_name: givenName,
      last_name: familyName,
      email,
      active: true,
      id,
      directoryId: directory.id,
      raw,
    },
    indexes: [
      ['directoryIdUsername', `${directory.id}:${email}`],
      ['directoryId', directory.id],
    ],
  };
}

function memberRow(groupId, id) {
  const key = digest(`${groupId}:${id}`);
  return { key, value: { id: key, group_id: groupId, user_id: id }, indexes: [['groupId', groupId]] };
}

const directories = [];
for (const population of populations()) {
  const { data, error } = await directorySyncController.directories.create({
    name: `Bench ${population.users}`,
    tenant: `bench-${population.users}`,
    product: PRODUCT,
    type: 'azure-scim-v2',
  });
  if (error) throw new Error(error.message);
  await fill(data, population);
  directories.push({ users: population.users, path: `${PATH}/${data.id}`, key: data.scim.secret });
}
await client.query('vacuum (analyze)');
await client.end();

/** Its events are handed to a function of the product, and wait for it. */
async function receiveEvent() {}

serve(
  async (request, reply) => {
    const { pathname, searchParams } = new URL(request.url, 'http://127.0.0.1');
    const [, , directoryId, resourceType, resourceId] = pathname.split('/');
    const number = (name) => (searchParams.has(name) ? Number(searchParams.get(name)) : undefined);
    const body = await bodyOf(request);
    const asked = {
      method: request.method,
      directoryId,
      resourceType,
      resourceId,
      apiSecret: request.headers.authorization?.replace('Bearer ', '') ?? null,
      body: body === undefined ? undefined : JSON.parse(body),
      query: {
        count: number('count'),
        startIndex: number('startIndex'),
        filter: searchParams.get('filter') ?? undefined,
      },
    };
    const { status, data } = await directorySyncController.requests.handle(asked, receiveEvent);
    reply.writeHead(status, { 'content-type': 'application/scim+json' }).end(JSON.stringify(data));
  },
  {
    directories,
    showsMembers: false,
    cannot: {
      'filter-work-email': 'takes every filter for one on userName',
      'list-cursor': 'has no cursors',
      'list-cursor-deep': 'has no cursors',
      'group-get': 'never shows members',
      'group-replace': 'changes no members by PUT',
    },
  },
);
