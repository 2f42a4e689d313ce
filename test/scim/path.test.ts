import fc from 'fast-check';
import t from 'tap';
import { ScimError } from '../../src/scim/error.ts';
import { parseFilter } from '../../src/scim/filter.ts';
import { parsePatchPath, resolveAttributePath } from '../../src/scim/path.ts';
import { CORE_USER, ENTERPRISE_USER, GROUP_TYPE, USER_TYPE } from '../../src/scim/resource-types.ts';
import type { AttributePath, PatchTarget } from '../../src/scim/types.ts';
import { runs } from '../support/runs.ts';
import { reading, refusal } from '../support/scim.ts';

/** `name` or `name.sub`, with `+` before it for an attribute of an extension. */
function nameOf(path: AttributePath | undefined): string | undefined {
  if (path === undefined) return undefined;
  const names = [path.attribute.name, path.subAttribute?.name].filter(Boolean).join('.');
  return path.extension === undefined ? names : `+${names}`;
}

t.test('§3.10 attribute notation', async (t) => {
  const resolved: [text: string, name: string][] = [
    ['userName', 'userName'],
    ['USERNAME', 'userName'],
    ['name.familyName', 'name.familyName'],
    ['Name.FamilyName', 'name.familyName'],
    ['id', 'id'],
    ['externalid', 'externalId'],
    ['schemas', 'schemas'],
    ['meta.lastModified', 'meta.lastModified'],
    ['emails.type', 'emails.type'],
    ['groups.$ref', 'groups.$ref'],
    [`${CORE_USER}:userName`, 'userName'],
    [`${CORE_USER.toUpperCase()}:NAME.GIVENNAME`, 'name.givenName'],
    [`${ENTERPRISE_USER}:department`, '+department'],
    [`${ENTERPRISE_USER.toLowerCase()}:Manager.Value`, '+manager.value'],
    ['manager', '+manager'],
    ['manager.value', '+manager.value'],
    [`${ENTERPRISE_USER}.manager`, '+manager'],
    [`${ENTERPRISE_USER}.manager.value`, '+manager.value'],
  ];
  for (const [text, name] of resolved) t.equal(nameOf(resolveAttributePath(USER_TYPE, text)), name, text);
});

t.test('§3.10 what is no attribute of the type resolves to nothing', async (t) => {
  const unknown = [
    ...['', '.', ':', 'members', 'userName.value', 'name.', '.name', 'name..familyName', 'name.familyName.x'],
    ...['name.unknown', ' userName', 'userName ', 'user name', 'emails[type eq "work"]', 'emails:value'],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'name.constructor', 'name.__proto__'],
    ...[
      CORE_USER,
      `${CORE_USER}:`,
      `${CORE_USER}:department`,
      `${CORE_USER}userName`,
      `${CORE_USER}/userName`,
      'urn:userName',
    ],
    ...[
      ENTERPRISE_USER,
      `${ENTERPRISE_USER}:userName`,
      `${ENTERPRISE_USER}.`,
      `${ENTERPRISE_USER}:manager:value`,
    ],
    ...['urn:ietf:params:scim:schemas:core:2.0:Group:displayName'],
  ];
  for (const text of unknown) t.equal(nameOf(resolveAttributePath(USER_TYPE, text)), undefined, text);
  t.equal(nameOf(resolveAttributePath(GROUP_TYPE, 'userName')), undefined);
  t.equal(nameOf(resolveAttributePath(GROUP_TYPE, 'members.$REF')), 'members.$ref');
});

t.test(
  'an attribute may be called constructor, and an extension may be named under another one',
  async (t) => {
    const [id] = USER_TYPE.schema.attributes.filter(({ name }) => name === 'title');
    const schema = {
      id: `${CORE_USER}:Tenant`,
      name: 'Tenant',
      description: '',
      attributes: id === undefined ? [] : [{ ...id, name: 'constructor' }],
    };
    const type = { ...USER_TYPE, extensions: [{ schema, required: false }] };
    t.equal(nameOf(resolveAttributePath(type, 'Constructor')), '+constructor');
    t.equal(nameOf(resolveAttributePath(type, `${schema.id}:constructor`)), '+constructor');
    t.equal(nameOf(resolveAttributePath(type, `${CORE_USER}:title`)), 'title');
  },
);

/** A target in one word, its filter left out. */
function targetOf(target: PatchTarget): string {
  if (target.kind === 'resource') return 'resource';
  if (target.kind === 'extension') return `extension ${target.extension.name}`;
  if (target.kind === 'attribute') return nameOf(target.path) ?? '';
  return `${nameOf(target.path)}[]${target.subAttribute ? `.${target.subAttribute.name}` : ''}`;
}

t.test('§3.5.2 figure 7: attribute paths and value paths', async (t) => {
  const targets: [path: string, target: string][] = [
    ['members', 'members'],
    ['members[value eq "2819c223-7f76-453a-919d-413861904646"]', 'members[]'],
    ['members[value eq "2819c223"].display', 'members[].display'],
    ['Members[VALUE EQ "x"].$Ref', 'members[].$ref'],
    ['members[display eq "a ] b \\" ] c"].type', 'members[].type'],
    ['members[display eq "a\\\\"]', 'members[]'],
  ];
  for (const [path, target] of targets) {
    t.equal(targetOf(parsePatchPath(GROUP_TYPE, path, reading())), target, path);
  }
  const users: [path: string, target: string][] = [
    ['name.familyName', 'name.familyName'],
    ['addresses[type eq "work"]', 'addresses[]'],
    ['emails[type eq "work" and (primary eq true or not (value ew "x"))].value', 'emails[].value'],
    ['roles[primary eq "True"].value', 'roles[].value'],
    [`${CORE_USER}:emails[type eq "work"].value`, 'emails[].value'],
    [`${ENTERPRISE_USER}:department`, '+department'],
    [`${ENTERPRISE_USER}:manager`, '+manager'],
    ['manager', '+manager'],
    [ENTERPRISE_USER, 'extension EnterpriseUser'],
    [ENTERPRISE_USER.toUpperCase(), 'extension EnterpriseUser'],
    [CORE_USER, 'resource'],
  ];
  for (const [path, target] of users) {
    t.equal(targetOf(parsePatchPath(USER_TYPE, path, reading())), target, path);
  }
});

t.test('§3.5.2 the filter of a value path is relative to the element', async (t) => {
  const target = parsePatchPath(USER_TYPE, 'emails[Type eq "WORK"].value', reading());
  t.match(target, {
    kind: 'element',
    path: { attribute: { name: 'emails' }, subAttribute: undefined },
    filter: {
      kind: 'compare',
      path: { attribute: { name: 'emails' }, subAttribute: { name: 'type' } },
      operator: 'eq',
      value: 'work',
      literal: 'WORK',
    },
    subAttribute: { name: 'value' },
  });
});

const refused: [path: string, scimType: string, word: string][] = [
  ['', 'invalidPath', 'no such attribute'],
  ['unknown', 'invalidPath', '"unknown"'],
  ['__proto__', 'invalidPath', '__proto__'],
  ['constructor.prototype', 'invalidPath', 'constructor'],
  ['emails[type eq "work"', 'invalidPath', 'not closed'],
  ['emails[type eq "work]', 'invalidPath', 'not closed'],
  ['emails[type eq "work"]value', 'invalidPath', '"value" is not a sub-attribute of "emails"'],
  ['emails[type eq "work"]:value', 'invalidPath', '":value" is not a sub-attribute'],
  ['emails[type eq "work"].', 'invalidPath', 'sub-attribute'],
  ['emails[type eq "work"].nothing', 'invalidPath', '".nothing"'],
  ['emails[type eq "work"].toString', 'invalidPath', 'toString'],
  ['emails[type eq "work"].value.x', 'invalidPath', 'sub-attribute'],
  ['emails[type eq "work"][primary eq true]', 'invalidPath', 'sub-attribute'],
  ['emails.value[type eq "work"]', 'invalidPath', 'multi-valued'],
  ['name[familyName eq "x"]', 'invalidPath', 'multi-valued'],
  ['userName[value eq "x"]', 'invalidPath', 'multi-valued'],
  ['schemas[value eq "x"].value', 'invalidPath', 'sub-attribute'],
  ['nobody[value eq "x"]', 'invalidPath', '"nobody"'],
  [`userName${'x'.repeat(8185)}`, 'invalidPath', '8192'],
  ['emails[]', 'invalidFilter', 'ends'],
  ['emails[0]', 'invalidFilter', 'operator'],
  ['emails[nothing eq "x"]', 'invalidFilter', '"nothing"'],
  ['emails[emails.type eq "x"]', 'invalidFilter', '"emails.type"'],
  ['emails[type[value eq "x"]]', 'invalidFilter', '"[" is not closed'],
];

t.test('§3.5.2 paths that do not hold are invalidPath, filters in them invalidFilter', async (t) => {
  for (const [path, scimType, word] of refused) {
    const answer = refusal(() => parsePatchPath(USER_TYPE, path, reading())) ?? 'none';
    t.ok(answer.startsWith(`${scimType}: `) && answer.includes(word), answer);
    t.ok(answer.length < 500);
  }
  t.equal(
    nameOf((parsePatchPath(USER_TYPE, 'schemas[value eq "x"]', reading()) as { path: AttributePath }).path),
    'schemas',
  );
});

t.test('the dot after a URN is a tolerance that strict mode names', async (t) => {
  const lenient = reading();
  t.equal(targetOf(parsePatchPath(USER_TYPE, `${ENTERPRISE_USER}.manager`, lenient)), '+manager');
  t.strictSame([...lenient.tolerances], ['urnDot']);
  const strict = refusal(() => parsePatchPath(USER_TYPE, `${ENTERPRISE_USER}.manager`, reading(true)));
  t.match(strict, /^invalidPath: .*urnDot/);
  t.equal(targetOf(parsePatchPath(USER_TYPE, `${ENTERPRISE_USER}:manager`, reading(true))), '+manager');
  const filtering = reading();
  t.ok(parseFilter(`${ENTERPRISE_USER}.manager pr`, USER_TYPE, filtering));
  t.strictSame([...filtering.tolerances], ['urnDot'], 'in filters too');
});

t.test('only ScimErrors escape from a path, whatever it is', async () => {
  const part = fc.constantFrom(
    ...[
      'emails',
      'members',
      'manager',
      ENTERPRISE_USER,
      '[',
      ']',
      '"',
      '\\',
      '.',
      ':',
      ' ',
      'type',
      'eq',
      '"work"',
    ],
    ...['value', '(', ')', 'not', '$ref', '\0', '\ud800', 'İ', '__proto__', '[type eq "work"]'],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      try {
        parsePatchPath(USER_TYPE, parts.join(''), reading());
      } catch (error) {
        return error instanceof ScimError && error.status === 400;
      }
      return true;
    }),
    { numRuns: runs(2_000, 200_000) },
  );
});
