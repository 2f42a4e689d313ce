import express from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';
import { numbersIn, userId, userOf } from '../../dist/bench/population.js';
import { populations, serve } from './serve.mjs';

/**
 * scimmy with its routers for Express. It stores nothing itself, so its people are in memory, in maps by id: the
 * fastest that a store behind it could be.
 */

const KEY = 'bench';

/** By size: `{users, groups}`, maps of resources by id. */
const directories = new Map();

for (const population of populations()) {
  const users = new Map();
  for (const n of [...numbersIn(population.users)].flat()) {
    const id = userId(population, n);
    users.set(id, { ...userOf(population, n), id, meta: meta('User', id) });
  }
  const groups = new Map();
  for (const { id, displayName, members } of population.groups) {
    const listed = [...numbersIn(members)].flat().map((n) => ({ value: userId(population, n) }));
    groups.set(id, { id, displayName, members: listed, meta: meta('Group', id) });
  }
  directories.set(String(population.users), { users, groups });
}

function meta(resourceType, id) {
  const now = new Date();
  return { resourceType, created: now, lastModified: now, location: `/${resourceType}s/${id}` };
}

/** The three ways in which scimmy asks a store, over the map of this name in the directory that the path names. */
function handlersOf(name, type) {
  return {
    egress: (resource, { size }) => {
      const stored = directories.get(size)[name];
      if (resource.id) {
        const found = stored.get(resource.id);
        if (!found) throw new SCIMMY.Types.Error(404, null, `${type} ${resource.id} not found`);
        return found;
      }
      const all = [...stored.values()];
      return resource.filter ? resource.filter.match(all) : all;
    },
    ingress: (resource, instance, { size }) => {
      const stored = directories.get(size)[name];
      const id = resource.id ?? crypto.randomUUID();
      const kept = { ...JSON.parse(JSON.stringify(instance)), id, meta: meta(type, id) };
      stored.set(id, kept);
      return kept;
    },
    degress: (resource, { size }) => void directories.get(size)[name].delete(resource.id),
  };
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
