import pg from 'pg';
import t from 'tap';
import { AppError } from '../../../src/errors.ts';
import { asScimError } from '../../../src/http/scim/errors.ts';
import { ScimError } from '../../../src/scim/error.ts';

/** The one translation of this surface, row by row (RFC 7644 section 3.12). */

function databaseError(code: string, constraint?: string): Error {
  return Object.assign(new pg.DatabaseError('key (secret) exists', 0, 'error'), { code, constraint });
}

const fastifyError = (statusCode: number) => Object.assign(new Error('too much'), { statusCode });

const ROWS: readonly [
  name: string,
  thrown: unknown,
  status: number,
  scimType: string | undefined,
  detail: RegExp,
][] = [
  ['a SCIM error is itself', new ScimError(400, 'noTarget', 'x'), 400, 'noTarget', /^x$/],
  ['invalid_request', new AppError('invalid_request', 'x'), 400, undefined, /^x$/],
  ['broken JSON', new AppError('invalid_request', 'x', { reason: 'json_syntax' }), 400, 'invalidSyntax', /x/],
  [
    'text that cannot be kept',
    new AppError('invalid_request', 'x', { reason: 'json_text' }),
    400,
    'invalidValue',
    /x/,
  ],
  ['unauthorized', new AppError('unauthorized', 'x'), 401, undefined, /x/],
  [
    'forbidden, with what to do',
    new AppError('forbidden', 'x', { hint: 'do y' }),
    403,
    undefined,
    /^x\. do y$/,
  ],
  ['not_found', new AppError('not_found', 'x'), 404, undefined, /x/],
  ['conflict', new AppError('conflict', 'x'), 409, undefined, /x/],
  ['uniqueness', new AppError('conflict', 'x', { reason: 'uniqueness' }), 409, 'uniqueness', /x/],
  ['precondition_failed', new AppError('precondition_failed', 'x'), 412, undefined, /x/],
  ['unavailable', new AppError('unavailable', 'x'), 503, undefined, /x/],
  ['a body too large', fastifyError(413), 413, undefined, /larger than 1024 bytes/],
  ['any other refusal of Fastify', fastifyError(415), 415, undefined, /too much/],
  ['the database shuts down', databaseError('57P01'), 503, undefined, /cannot answer/],
  ['the disk is full', databaseError('53100'), 503, undefined, /cannot answer/],
  ['a statement takes too long', databaseError('57014'), 503, undefined, /cannot answer/],
  [
    'no server',
    Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
    503,
    undefined,
    /cannot answer/,
  ],
  [
    'no free connection',
    new Error('timeout exceeded when trying to connect'),
    503,
    undefined,
    /cannot answer/,
  ],
  [
    'a directory that is gone',
    databaseError('23503', 'scim_user_directory_exists'),
    401,
    undefined,
    /deleted/,
  ],
  ['a violation that nobody expected', databaseError('23505', 'other_key'), 500, undefined, /request id/],
  ['a bug', new TypeError('secret is undefined'), 500, undefined, /request id/],
  ['not even an error', 'secret', 500, undefined, /request id/],
];

for (const [name, thrown, status, scimType, detail] of ROWS) {
  t.test(name, async (t) => {
    const error = asScimError(thrown, 1024);
    t.same([error.status, error.scimType], [status, scimType]);
    t.match(error.message, detail);
    t.notMatch(error.message, /secret/);
  });
}
