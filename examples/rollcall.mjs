// What both examples ask of Rollcall: to know an identity provider, and to sign somebody in.
const { ROLLCALL_URL = 'http://127.0.0.1:8080', ROLLCALL_TENANT = 'default' } = process.env;
const { ROLLCALL_OPERATOR_KEY: operatorKey } = process.env;
const [email, ...groups] = process.argv.slice(2);
if (!operatorKey || !email) {
  console.error('usage: ROLLCALL_OPERATOR_KEY=… node examples/….mjs EMAIL [GROUP …]');
  process.exit(2);
}

/** Who signs in. */
export const person = { email, groups };

/** Makes the identity provider, or gives that of an earlier run its new settings. */
export async function setUpProvider({ name, kind, ...settings }) {
  const made = await admin('POST', '/identity-providers', { name, kind, ...settings });
  const answer = made.status === 409 ? await admin('PATCH', `/identity-providers/${name}`, settings) : made;
  if (!answer.ok) throw new Error(`The identity provider was refused: ${await answer.text()}`);
}

/** What a gateway does: posts what it received, with a key of the scope jit. Prints what Rollcall answers. */
export async function signIn(received) {
  const issued = await admin('POST', '/api-keys', { name: 'Example gateway', scopes: ['jit'] });
  if (!issued.ok) throw new Error(`The key was refused: ${await issued.text()}`);
  const { id, key } = await issued.json();
  const answer = await ask('POST', '/jit/assert', key, received);
  console.log(await answer.text());
  await admin('DELETE', `/api-keys/${id}`);
  if (!answer.ok) process.exitCode = 1;
}

const admin = (method, path, body) =>
  ask(method, `/api/admin/v1/tenants/${ROLLCALL_TENANT}${path}`, operatorKey, body);

const ask = (method, path, key, body) =>
  fetch(`${ROLLCALL_URL}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
