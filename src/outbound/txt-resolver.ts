import { Resolver } from 'node:dns/promises';
import { AppError } from '../errors.ts';

/** In milliseconds for the first try; a second one has twice as long. */
const TIMEOUT = 2_000;
const TRIES = 2;

/** How DNS says that there is no such record, and not that it cannot tell. */
const ABSENT = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * Asks DNS for TXT records: `Context.resolveTxt`. The strings of one record are one text (RFC 7208 section 3.3).
 * @param servers `address:port`; absent: those of the machine.
 */
export function openTxtResolver(servers?: readonly string[]): (name: string) => Promise<string[]> {
  const resolver = new Resolver({ timeout: TIMEOUT, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  return async (name) => {
    try {
      return (await resolver.resolveTxt(name)).map((strings) => strings.join(''));
    } catch (error) {
      if (ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) return [];
      throw new AppError('unavailable', `DNS cannot say now which TXT records ${name} has`, {
        reason: 'dns_unavailable',
        hint: 'Nothing was changed. Repeat the request later.',
        cause: error,
      });
    }
  };
}
