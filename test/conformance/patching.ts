import type { Test } from 'tap';
import type { Client, ErrorBody } from '../support/client.ts';

/** What a PATCH of a user starts from, does, and leaves: an attribute that is null afterwards is unassigned. */
export type PatchCase = readonly [
  name: string,
  before: object,
  operations: readonly object[],
  after: Readonly<Record<string, unknown>>,
];

/** A PATCH of a user that is refused. */
export type RefusalCase = readonly [
  name: string,
  before: object,
  operations: unknown,
  scimType: string | RegExp,
];

let users = 0;
const newUser = (client: Client, attributes: object) => client.user(`patched-${++users}`, attributes);

/** Patches a new user for each case: the answer is 200 with the whole resource, as a GET reads it afterwards. */
export async function patches(t: Test, client: Client, cases: readonly PatchCase[]): Promise<void> {
  for (const [name, before, operations, after] of cases) {
    const { id } = await newUser(client, before);
    const { status, body } = await client.patch(`/Users/${id}`, operations);
    t.equal(status, 200, `${name}: ${JSON.stringify(body)}`);
    const read = (await client.ask('GET', `/Users/${id}`)).body;
    t.strictSame(body, read, `${name}: answered whole`);
    for (const [attribute, value] of Object.entries(after)) {
      t.strictSame(read[attribute] ?? null, value, `${name}: ${attribute}`);
    }
  }
}

/** Patches a new user for each case: the answer is a SCIM Error, and the resource is what it was. */
export async function refuses(t: Test, client: Client, cases: readonly RefusalCase[]): Promise<void> {
  for (const [name, before, operations, scimType] of cases) {
    const { id } = await newUser(client, before);
    const stored = (await client.ask('GET', `/Users/${id}`)).body;
    const answer = await client.ask<ErrorBody>('PATCH', `/Users/${id}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: operations,
    });
    t.match(answer, { status: 400, body: { status: '400', scimType, detail: /\S/ } }, name);
    t.strictSame((await client.ask('GET', `/Users/${id}`)).body, stored, `${name}: nothing changed`);
  }
}
