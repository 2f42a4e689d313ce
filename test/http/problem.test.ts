import pg from 'pg';
import t from 'tap';
import { AppError, type AppErrorCode } from '../../src/errors.ts';
import { problemOf } from '../../src/http/problem.ts';

const CODES: readonly (readonly [code: AppErrorCode, status: number, title: string])[] = [
  ['invalid_request', 400, 'Bad Request'],
  ['unauthorized', 401, 'Unauthorized'],
  ['forbidden', 403, 'Forbidden'],
  ['not_found', 404, 'Not Found'],
  ['conflict', 409, 'Conflict'],
  ['precondition_failed', 412, 'Precondition Failed'],
  ['unavailable', 503, 'Service Unavailable'],
];

for (const [code, status, title] of CODES) {
  t.test(`${code} is ${status}`, async (t) => {
    t.same(problemOf(new AppError(code, 'What is wrong'), 'r-1'), {
      type: 'about:blank',
      title,
      status,
      code,
      detail: 'What is wrong',
      requestId: 'r-1',
    });
  });
}

t.test('reason, pointer and hint go along', async (t) => {
  const options = { reason: 'name_taken', pointer: '/name', hint: 'Choose another' };
  t.match(problemOf(new AppError('conflict', 'Taken', options), 'r-1'), options);
});

const FOREIGN: readonly (readonly [
  what: string,
  error: unknown,
  status: number,
  code: string,
  detail: string,
])[] = [
  ['a body that Fastify cannot parse', withStatus(400, 'Not JSON'), 400, 'invalid_request', 'Not JSON'],
  ['a method that a path has not', withStatus(405, 'No PUT'), 405, 'method_not_allowed', 'No PUT'],
  ['a body above the limit', withStatus(413, 'Too large'), 413, 'too_large', 'Too large'],
  ['an over-long URL', withStatus(414, 'Too long'), 414, 'uri_too_long', 'Too long'],
  ['a media type nobody reads', withStatus(415, 'No XML'), 415, 'unsupported_media_type', 'No XML'],
  ['a status that we have no word for', withStatus(418, 'Teapot'), 400, 'invalid_request', 'Teapot'],
];

for (const [what, error, status, code, detail] of FOREIGN) {
  t.test(`${what} is ${status}`, async (t) => {
    t.match(problemOf(error, 'r-1'), { status, code, detail });
  });
}

t.test('a database that is away is 503', async (t) => {
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  t.match(problemOf(away, 'r-1'), { status: 503, code: 'unavailable' });
});

const UNKNOWN: readonly (readonly [what: string, error: unknown])[] = [
  ['a bug', new TypeError('canary of undefined')],
  ['a statement that does not hold', new pg.DatabaseError('canary', 6, 'error')],
  ['an error with a status of the 500s', withStatus(502, 'canary')],
];

for (const [what, error] of UNKNOWN) {
  t.test(`${what} is 500, and says nothing of itself`, async (t) => {
    const problem = problemOf(error, 'r-1');
    t.match(problem, { status: 500, code: 'internal', requestId: 'r-1' });
    t.notMatch(JSON.stringify(problem), 'canary');
  });
}

function withStatus(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode });
}
