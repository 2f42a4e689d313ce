import type { Test } from 'tap';

/**
 * A test that shows requirements of `test/conformance/items/` by their numbers. The numbers and the title are read
 * from the source too, for `docs/conformance.md`: write both as literals.
 */
export function meets(
  t: Test,
  numbers: readonly number[],
  title: string,
  show: (t: Test) => Promise<unknown>,
): Promise<unknown> {
  return t.test(`[${numbers.join(', ')}] ${title}`, show);
}

/** Shows the same with each of the clients, such as a lenient and a strict one. */
export async function withEach<Client>(
  t: Test,
  clients: Readonly<Record<string, Client>>,
  show: (t: Test, client: Client) => Promise<unknown>,
): Promise<void> {
  for (const [name, client] of Object.entries(clients)) await t.test(name, (t) => show(t, client));
}
