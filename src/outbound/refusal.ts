import { AppError } from '../errors.ts';
import { OutboundError, type OutboundReason } from './outbound.ts';

/** What whoever sent the URL can do about it. */
const HINTS: Readonly<Record<OutboundReason, string>> = {
  url: 'Give an absolute https URL without a port, a user name or a password.',
  address: 'Only hosts on the public Internet are asked.',
  unreachable: 'Compare the name of the host, and see whether its certificate is valid for everybody.',
  timeout: 'Repeat the request later.',
  status: 'Give the URL at which the document is open to everybody, as it answers without a redirect.',
  too_large: 'Give the URL of what belongs to this identity provider alone.',
  malformed: 'Give the URL of the document itself, in UTF-8 and not compressed.',
};

/** A fetch that failed, as the refusal of the URL at the JSON pointer; any other error as it is. */
export function fetchRefused(error: unknown, pointer: string): unknown {
  if (!(error instanceof OutboundError)) return error;
  const { reason, message } = error;
  return new AppError('invalid_request', message, { reason, pointer, hint: HINTS[reason], cause: error });
}
