import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchemaValidationError,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Static, TSchema } from 'typebox';
import { AppError } from '../errors.ts';

interface TypeBoxProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  readonly serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

/** A scope whose handlers have the types of their routes' schemas. */
export type TypedScope = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxProvider
>;

/** Gives a scope typed routes, and makes it name the part of a request that does not fit their schemas. */
export function typedScope(scope: FastifyInstance): TypedScope {
  scope.setSchemaErrorFormatter((errors, part) => unfit(errors[0], part));
  return scope.withTypeProvider<TypeBoxProvider>();
}

/** The refusal of what does not fit its schema: the fault, and which part of a request it is in. */
export function unfit(fault: FastifySchemaValidationError | undefined, part: string): AppError {
  const { instancePath = '', params = {}, message = 'does not fit', keyword = '' } = fault ?? {};
  const name = params.additionalProperty ?? params.missingProperty;
  const path = name === undefined ? instancePath : `${instancePath}/${escapePointer(String(name))}`;
  const pointer = part === 'querystring' ? path.slice(1) : path;
  const where = pointer === '' ? `The ${part}` : pointer;
  return new AppError('invalid_request', `${where} ${WORDS[keyword] ?? message}`, {
    pointer,
    ...(Array.isArray(params.allowedValues) && { hint: `Possible: ${params.allowedValues.join(', ')}.` }),
  });
}

/** Where the words of JSON Schema speak of the object, ours speak of the member that `pointer` names. */
const WORDS: Readonly<Record<string, string>> = {
  additionalProperties: 'is not known here',
  required: 'is missing',
};

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
