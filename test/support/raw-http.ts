import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestApp } from './app.ts';

/** A connection on which a test sends what no HTTP client would: half a body, a request behind another. */
export async function connectTo({ app }: Pick<TestApp, 'app'>): Promise<Socket> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' });
  const { hostname, port } = new URL(app.listeningOrigin);
  const socket = connect(Number(port), hostname);
  // What the service cuts is a matter of the test.
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** The text of a request; `length` is what it says of its body, of which less may come. */
export function requestText(
  method: string,
  path: string,
  {
    key,
    body,
    length,
  }: { readonly key: string; readonly body?: string; readonly length?: number | 'chunked' },
): string {
  const said = length ?? Buffer.byteLength(body ?? '');
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${key}`,
    ...(body === undefined ? [] : ['Content-Type: application/json']),
    ...(said === 'chunked'
      ? ['Transfer-Encoding: chunked']
      : body === undefined
        ? []
        : [`Content-Length: ${said}`]),
  ];
  const sent =
    said === 'chunked' && body !== undefined ? `${body.length.toString(16)}\r\n${body}\r\n` : (body ?? '');
  return `${lines.join('\r\n')}\r\n\r\n${sent}`;
}

/** All that comes on a connection, when it has come as far as `end`. */
export async function readUntil(socket: Socket, end: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (end.test(text)) break;
  }
  return text;
}
