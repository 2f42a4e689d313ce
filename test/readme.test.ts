import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SETTINGS } from '../src/config.ts';
import { startApp } from './support/app.ts';

/** What the documents say of the code, held against the code. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const DOCUMENTS = readdirSync(ROOT).filter((name) => name.endsWith('.md'));

/** The text under a heading of the second level. */
function section(name: string, heading: string): string {
  return read(name).split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
}

/** The rows of the first table in a text: their cells, without the head. */
function rowsOf(text: string): string[][] {
  const [, table = ''] = /((?:^\|.*\n)+)/m.exec(text) ?? [];
  const rows = table.trimEnd().split('\n').slice(2);
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** What stands between backticks. */
const codeIn = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '');

t.test("README's settings are those of config.ts, with their defaults", async (t) => {
  const settings: [string, { fallback?: string; doc: string }][] = Object.entries(SETTINGS);
  const rows = settings.map(([name, { fallback, doc }]) => [
    `\`${name}\``,
    fallback ? `\`${fallback}\`` : '—',
    doc,
  ]);
  t.same(rowsOf(section('README.md', 'Settings')), rows);
});

t.test("README's endpoints are the routes that the application documents, and /docs itself", async (t) => {
  const { routes } = await startApp(t);
  const served = routes
    .filter(({ schema }) => !schema?.hide)
    .flatMap(({ method, url }) => [method].flat().map((each) => `${each} ${url.replace(/:(\w+)/g, '{$1}')}`))
    .filter((route) => !route.startsWith('HEAD '));
  const told = rowsOf(section('README.md', 'Endpoints')).flatMap(([methods = '', path = '']) =>
    codeIn(methods).flatMap((method) => codeIn(path).map((each) => `${method} ${each}`)),
  );
  t.same(told.sort(), [...new Set([...served, 'GET /docs'])].sort());
});

t.test('README fits on a few screens', async (t) => {
  t.ok(read('README.md').trimEnd().split('\n').length <= 340);
});

/** The paragraphs of the code map, each with the folders in bold at its beginning. */
const ROOMS = section('ARCHITECTURE.md', 'Code map')
  .trim()
  .split(/\n\n+/)
  .map((text) => ({ text, folders: codeIn(/^\*\*(.*?)\*\*/s.exec(text)?.[1] ?? '') }));

t.test("every file that ARCHITECTURE's code map names exists", async (t) => {
  for (const { text, folders } of ROOMS) {
    for (const name of codeIn(text).filter((code) => /^[\w./-]+(?:\/|\.(?:ts|mjs|sql|json))$/.test(code))) {
      t.ok(
        ['', ...folders].some((folder) => existsSync(join(ROOT, folder, name))),
        name,
      );
    }
  }
});

t.test('the code map has every folder of src', async (t) => {
  const folders = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${join(entry.parentPath, entry.name).slice(ROOT.length)}/`);
  const named = ROOMS.flatMap(({ text }) => codeIn(text));
  t.same(
    folders.filter((folder) => !named.includes(folder)),
    [],
  );
});

t.test('no link in the documents is broken, and files that they name are there', async (t) => {
  for (const document of DOCUMENTS) {
    const text = read(document);
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? document : join(dirname(document), path);
      t.ok(existsSync(join(ROOT, file)), `${document} links ${target}`);
      if (anchor !== undefined) t.ok(anchorsOf(file).includes(anchor), `${document} links ${target}`);
    }
    for (const path of codeIn(text).filter((code) =>
      /^(?:src|test|scripts|docker|examples|migrations)\/[\w./-]*(?:\/|\.\w+)$/.test(code),
    )) {
      t.ok(existsSync(join(ROOT, path)), `${document} names ${path}`);
    }
  }
});

/** The anchors of a document's headings, as they are commonly made. */
function anchorsOf(name: string): string[] {
  return [...read(name).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
