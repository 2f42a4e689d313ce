import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type MappingDocument, readMappingDocument } from '../../src/reconcile/mapping-document.ts';
import { compileMapping } from '../../src/reconcile/mapping-rows.ts';
import { runs, SEED } from '../support/runs.ts';
import { documents, EXAMPLE, KNOWN, ROLES } from './mapping-arbitraries.ts';

t.test('a document becomes rows with what they match, what they give, and where they stand', async (t) => {
  const anySource = { directory: null, identityProvider: null };
  const team = { kind: 'team', target: 'Incident Response', ...anySource };
  t.strictSame(compileMapping(EXAMPLE, ROLES), [
    {
      match: 'name:IT Admins',
      row: '/tenant_owners_groups/0',
      precedence: 0,
      kind: 'owner',
      target: null,
      role: null,
      ...anySource,
    },
    {
      match: 'name:Auditors',
      row: '/tenant_permission/0/permissions/0',
      precedence: 1,
      kind: 'permission',
      target: 'AUDIT_LOG_READ',
      role: null,
      ...anySource,
    },
    { match: 'name:SecOps', row: '/mappings/0', precedence: 2, ...team, role: 'TEAM_ADMIN' },
    { match: 'name:Analysts', row: '/mappings/1', precedence: 3, ...team, role: 'EDITOR' },
    {
      match: 'id:7d2f',
      row: '/mappings/2',
      precedence: 4,
      kind: 'case_group',
      target: 'Fraud',
      role: 'VIEWER',
      directory: 'entra',
      identityProvider: null,
    },
  ]);
});

t.test('a permission entry gives a row for each permission, with the source of the entry', async (t) => {
  const document: MappingDocument = {
    tenant_permission: [
      { group_name: 'a', permissions: ['TUNNEL_MANAGE'] },
      { group_id: 'b', permissions: ['AUDIT_LOG_READ', 'TUNNEL_MANAGE'], identity_provider: 'okta' },
    ],
    mappings: [{ group_name: 'a', team_name: 'IR', role_name: 'EDITOR' }],
  };
  const rows = compileMapping(document, ROLES).map(({ match, row, identityProvider }) => [
    match,
    row,
    identityProvider,
  ]);
  t.strictSame(rows, [
    ['name:a', '/tenant_permission/0/permissions/0', null],
    ['id:b', '/tenant_permission/1/permissions/0', 'okta'],
    ['id:b', '/tenant_permission/1/permissions/1', 'okta'],
    ['name:a', '/mappings/0', null],
  ]);
});

t.test('precedence is the order of the list, or that of ranks and then of the list', async (t) => {
  const mappings = ['VIEWER', 'EDITOR', 'GONE', 'ON_CALL', 'EDITOR', 'TEAM_ADMIN'].map(
    (role_name, index) => ({
      group_name: `g${index}`,
      team_name: 'IR',
      role_name,
    }),
  );
  const order = (strategy?: MappingDocument['conflict_strategy']) => {
    const document = { ...(strategy && { conflict_strategy: strategy }), mappings };
    const rows = compileMapping(document, ROLES).sort((left, right) => left.precedence - right.precedence);
    return rows.map(({ row }) => row.slice('/mappings/'.length)).join(' ');
  };
  t.equal(order(), '0 1 2 3 4 5');
  t.equal(order('first_match'), '0 1 2 3 4 5');
  t.equal(order('highest_role'), '5 1 4 3 0 2', 'a role that is gone counts least');
});

t.test(
  `each right of a document is one row of its own precedence and place (ROLLCALL_SEED=${SEED})`,
  async () => {
    fc.assert(
      fc.property(documents, (input) => {
        const document = readMappingDocument(input, KNOWN);
        const rows = compileMapping(document, ROLES);
        const { tenant_owners_groups: owners = [], tenant_permission: entries = [] } = document;
        const rights = entries.flatMap(({ permissions }) => permissions).length + owners.length;
        assert.equal(rows.length, rights + document.mappings.length);
        assert.equal(new Set(rows.map(({ precedence }) => precedence)).size, rows.length);
        assert.equal(new Set(rows.map(({ row }) => row)).size, rows.length);
      }),
      { numRuns: runs(200, 10_000), seed: SEED },
    );
  },
);
