import { createHash, randomUUID } from 'node:crypto';
import { scim } from '@better-auth/scim';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { numbersIn, userId, userNamed, userOf } from '../../dist/bench/population.js';
import { populations, serve } from './serve.mjs';

/**
 * better-auth with its SCIM plugin, behind its own handler for Node.js. People are copies of one that the plugin itself
 * has made, with the keys that it looks for.
 */

const PATH = '/api/auth/scim/v2';

const wanted = populations().map((population) => ({
  population,
  id: `bench-${population.users}`,
  token: createHash('sha256').update(`bench-${population.users}`).digest('hex'),
}));

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const auth = betterAuth({
  secret: randomUUID() + randomUUID(),
  baseURL: 'http://127.0.0.1',
  database: {
    db: new Kysely({ dialect: new PostgresDialect({ pool }) }),
    type: 'postgres',
    transaction: true,
  },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: 'error' },
  plugins: [
    scim({
      connections: wanted.map(({ id, token }) => ({
        id,
        credentials: [{ type: 'bearer', id: 'bench', token }],
      })),
    }),
  ],
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();

async function make(token, path, body) {
  const request = new Request(`http://127.0.0.1${PATH}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
    body: JSON.stringify(body),
  });
  const response = await auth.handler(request);
  if (response.status !== 201) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** The keys by which the plugin finds rows. */
const keyOf = (...parts) => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
const emailIndexOf = (address) => `|${keyOf('scim-email-value', address)}|`;

async function insert(table, rows) {
  await pool.query(`insert into "${table}" select * from jsonb_populate_recordset(null::"${table}", $1)`, [
    JSON.stringify(rows),
  ]);
}

const only = async (table, id, column = 'id') =>
  (await pool.query(`select to_jsonb(t) as row from "${table}" t where "${column}" = $1`, [id])).rows[0].row;

/** Of users that were made one after the other; the plugin lists by it. */
const orderKeyOf = (n, id) => `${String(n).padStart(15, '0')}:${id}`;

async function fill({ population, id: connection, token }) {
  const name = `template-${connection}`;
  const { id } = await make(token, '/Users', userNamed(name));
  const scimUser = await only('scimUser', id);
  const user = await only('user', scimUser.userId);
  const scimSubject = await only('scimSubject', user.id, 'userId');
  const template = JSON.stringify({ user, scimSubject, scimUser });
  for (const list of numbersIn(population.users)) {
    const people = list.map((n) => copyOf(template, { name, connection, population, n }));
    for (const table of ['user', 'scimSubject', 'scimUser']) {
      await insert(
        table,
        people.map((person) => person[table]),
      );
    }
  }
  await fillGroups({ population, connection, token });
}

/** The rows of the template with another name and the keys that go with it. */
function copyOf(template, { name, connection, population, n }) {
  const id = userId(population, n);
  const {
    userName,
    externalId,
    name: { familyName },
  } = userOf(population, n);
  const { user, scimSubject, scimUser } = JSON.parse(template.replaceAll(name, familyName));
  return {
    user: { ...user, id },
    scimSubject: { ...scimSubject, id, userId: id, profileSourceId: scimSubject.profileSourceId && id },
    scimUser: {
      ...scimUser,
      id,
      userId: id,
      connectionUserKey: keyOf('scim-user', connection, id),
      userNameKey: keyOf('scim-user-name', connection, userName),
      externalIdKey: keyOf('scim-user-external-id', connection, externalId),
      workEmailValueIndex: emailIndexOf(userName),
      emailValueIndex: emailIndexOf(userName),
      orderKey: orderKeyOf(n, id),
    },
  };
}

/** The plugin allows so many members. */
const MOST_MEMBERS = 1_000;

async function fillGroups({ population, connection, token }) {
  const made = await make(token, '/Groups', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    displayName: 'Template',
  });
  const group = await only('scimGroup', made.id);
  for (const { id, displayName, members } of population.groups) {
    if (members > MOST_MEMBERS) continue;
    const displayNameKey = keyOf('scim-group-display-name', connection, displayName.toLowerCase());
    const orderKey = orderKeyOf(members, id);
    await insert('scimGroup', [{ ...group, id, displayName, displayNameKey, orderKey }]);
    const rows = [...numbersIn(members)].flat().map((n) => {
      const scimUserId = userId(population, n);
      const membershipKey = keyOf('scim-group-member', connection, id, scimUserId);
      return {
        id: randomUUID(),
        connectionId: connection,
        groupId: id,
        scimUserId,
        membershipKey,
        createdAt: new Date(),
      };
    });
    await insert('scimGroupMember', rows);
  }
}

for (const each of wanted) await fill(each);
await pool.query('vacuum (analyze)');

serve(toNodeHandler(auth), {
  directories: wanted.map(({ population, token }) => ({ users: population.users, path: PATH, key: token })),
  showsMembers: true,
  cannot: {
    ...Object.fromEntries(
      ['group-get-bare', 'group-get', 'group-patch'].map((name) => [
        `${name}:100000`,
        'allows 1,000 members',
      ]),
    ),
    'list-cursor': 'has no cursors',
    'list-cursor-deep': 'has no cursors',
  },
});
