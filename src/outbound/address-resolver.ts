import { Resolver } from 'node:dns/promises';

/** In milliseconds for the first try; a second one has twice as long. */
const TIMEOUT = 2_000;
const TRIES = 2;

/** The addresses of a host, until the signal ends the question. @throws Error with a code of DNS (`ENOTFOUND`) */
export type ResolveAddresses = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/**
 * Asks DNS for the addresses of a host, IPv4 and IPv6. Not the system (`getaddrinfo`): each of its questions holds one
 * of the process's four threads until the system gives up, so the silent DNS of one host would delay everybody's.
 * @param servers `address:port`; absent: those of the machine.
 */
export function openAddressResolver(servers?: readonly string[]): ResolveAddresses {
  return async (host, signal) => {
    // One for each question, because `cancel` ends all that a resolver asks.
    const resolver = new Resolver({ timeout: TIMEOUT, tries: TRIES });
    if (servers !== undefined) resolver.setServers(servers);
    signal.addEventListener('abort', () => resolver.cancel(), { once: true });
    const [ipv4, ipv6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = [ipv4, ipv6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length === 0 && ipv4.status === 'rejected') throw ipv4.reason;
    return addresses;
  };
}
