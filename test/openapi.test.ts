import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { startApp } from './support/app.ts';

const committed = JSON.parse(readFileSync(new URL('../../openapi/rollcall.json', import.meta.url), 'utf8'));

t.test('openapi/rollcall.json is a valid OpenAPI 3.1 document', async (t) => {
  const { valid, errors } = await new Validator().validate(structuredClone(committed));
  t.ok(valid, JSON.stringify(errors));
  t.match(committed.openapi, /^3\.1/);
});

t.test('it is what the routes say today; run `npm run openapi` when this fails', async (t) => {
  const { app } = await startApp(t);
  const { paths, components } = JSON.parse(JSON.stringify(app.swagger()));
  t.same({ paths, components }, { paths: committed.paths, components: committed.components });
});

t.test('/docs shows it without any request to another host', async (t) => {
  const { app } = await startApp(t);
  const page = await app.inject('/docs');
  t.equal(page.statusCode, 200);
  t.notMatch(page.body, /(?:src|href)="(?:https?:)?\/\//);
  t.match(String(page.headers['content-security-policy']), /default-src 'self'/);
  t.equal((await app.inject('/docs/json')).statusCode, 200);
});
