import { prototypeState } from '../oracle/fuzz.ts';
import type { Answer } from './app.ts';
import type { ErrorBody } from './client.ts';
import { SEED } from './runs.ts';

/** What holds for the answer to any request, however broken. */

const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';
const pristine = prototypeState();

/** Fails for what no client may see: a 5xx, an error that says nothing, a changed prototype. */
export function requireAnswered(answer: Answer<unknown>, shown: unknown): void {
  const { status, body } = answer as Answer<ErrorBody>;
  const isError = status >= 400;
  const saysWhy = body?.schemas?.[0] === ERROR && body.status === String(status) && body.detail;
  const isRefusal = status < 500 && saysWhy && (status !== 400 || body.scimType !== undefined);
  if ((isError && !isRefusal) || prototypeState() !== pristine) failWith({ status, body, shown });
}

/** Fails with what one needs to see it again. */
export function failWith(shown: object): never {
  throw new Error(`ROLLCALL_SEED=${SEED} ${JSON.stringify(shown)}`);
}
