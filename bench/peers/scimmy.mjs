import express from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';
import { numbersIn, userId, userOf } from '../../dist/bench/population.js';
import { populations, serve } from './serve.mjs';

/**
 * scimmy with its routers for Express. It stores nothing itself, so its people are in memory, found by id and by
 * address, and by their place in a list: a store behind it that is durable takes longer for each of these. What it
 * would cost to make it so is not in the figures, so in what writes it is ahead by that.
 */

const KEY = 'bench';

/** By size: `{users, groups}`, a store each. */
const directories = new Map();

/** Resources by id, in the order in which they were made, and users by their address. */
class Store {
  byId = new Map();
  byAddress = new Map();
  list = [];

  /** Adds a resource, or writes over the one with its id. */
  put(resource) {
    const place = this.byId.get(resource.id)?.place ?? this.list.length;
    this.list[place] = resource;
    this.byId.set(resource.id, { resource, place });
    if (resource.userName) this.byAddress.set(resource.userName, resource);
  }
}

for (const population of populations()) {
  const users = new Store();
  for (const n of [...numbersIn(population.users)].flat()) {
    const id = userId(population, n);
    users.put({ ...userOf(population, n), id, meta: meta('User', id) });
  }
  const groups = new Store();
  for (const { id, displayName, members } of population.groups) {
    const listed = [...numbersIn(members)].flat().map((n) => ({ value: userId(population, n) }));
    groups.put({ id, displayName, members: listed, meta: meta('Group', id) });
  }
  directories.set(String(population.users), { users, groups });
}

function meta(resourceType, id) {
  const now = new Date();
  return { resourceType, created: now, lastModified: now, location: `/${resourceType}s/${id}` };
}

/** How scimmy reads and writes a store, which is the one of this name in the directory that the path names. */
function handlersOf(name, type) {
  return {
    egress: (resource, { size }) => {
      const stored = directories.get(size)[name];
      if (resource.id) {
        const found = stored.byId.get(resource.id)?.resource;
        if (!found) throw new SCIMMY.Types.Error(404, null, `${type} ${resource.id} not found`);
        return found;
      }
      return resource.filter ? matching(stored, resource.filter) : pageOf(stored, resource);
    },
    ingress: (resource, instance, { size }) => {
      const stored = directories.get(size)[name];
      const id = resource.id ?? crypto.randomUUID();
      const kept = { ...JSON.parse(JSON.stringify(instance)), id, meta: meta(type, id) };
      stored.put(kept);
      return kept;
    },
  };
}

/** The user of an address, as a database finds it by an index; for any other filter it reads all. */
function matching({ byAddress, list }, filter) {
  const [{ userName, emails } = {}] = filter;
  const [operator, address] = userName ?? emails?.value ?? [];
  if (filter.length !== 1 || operator !== 'eq') return filter.match(list);
  const found = byAddress.get(address);
  return found ? filter.match([found]) : [];
}

/** Only the page that is asked for: scimmy lays out whatever it is given, and is told how many there are. */
function pageOf({ list }, { constraints }) {
  const { startIndex = 1, count = 20 } = constraints ?? {};
  if (constraints) constraints.totalResults = list.length;
  return list.slice(startIndex - 1, startIndex - 1 + count);
}

SCIMMY.Resources.declare(SCIMMY.Resources.User, handlersOf('users', 'User'));
SCIMMY.Resources.declare(SCIMMY.Resources.Group, handlersOf('groups', 'Group'));

const app = express();
app.use(
  '/:size/scim',
  new SCIMMYRouters({
    type: 'bearer',
    handler: (request) => {
      if (request.header('authorization') !== `Bearer ${KEY}`) throw new Error('Unauthorized');
      return 'bench';
    },
    context: (request) => ({ size: request.baseUrl.split('/')[1] }),
  }),
);

serve(app, {
  directories: [...directories.keys()].map((size) => ({
    users: Number(size),
    path: `/${size}/scim`,
    key: KEY,
  })),
  showsMembers: true,
  cannot: {
    'list-cursor': 'has no cursors',
    'list-cursor-deep': 'has no cursors',
  },
});
