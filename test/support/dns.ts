import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from 'tap';

/** The types of questions (RFC 1035 section 3.2.2, RFC 3596 section 2.1). */
export const A = 1;
export const AAAA = 28;

export const NXDOMAIN = 3;
export const REFUSED = 5;

/** The data of one record, or a code of failure; undefined: no answer at all. */
export type DnsAnswer = Buffer | number | undefined;

/** Starts a DNS server (RFC 1035 section 4); answers its `address:port`. */
export async function dnsServer(
  t: Test,
  answerOf: (name: string, type: number) => DnsAnswer,
): Promise<string> {
  const server: Socket = createSocket('udp4');
  server.on('message', (query, { port, address }) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = query.readUInt16BE(at + 1);
    const answer = answerOf(labels.join('.').toLowerCase(), type);
    if (answer === undefined) return;
    const isRecord = typeof answer !== 'number';
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (isRecord ? 0 : answer), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(isRecord ? 1 : 0, 6);
    const question = query.subarray(12, at + 5);
    server.send(
      Buffer.concat([header, question, ...(isRecord ? [record(type, answer)] : [])]),
      port,
      address,
    );
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${server.address().port}`;
}

/** A pointer to the name of the question, its type, IN, a TTL of 0. */
function record(type: number, content: Buffer): Buffer {
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(content.length, 10);
  return Buffer.concat([head, content]);
}
