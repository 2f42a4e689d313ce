// What the printed lines need of curl, for machines that have Node and nothing else:
// [-sS] [-X METHOD] [-H 'Name: value']… [-d BODY] URL, in any order.
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    silent: { type: 'boolean', short: 's' },
    'show-error': { type: 'boolean', short: 'S' },
    request: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true, default: [] },
    data: { type: 'string', short: 'd' },
  },
});
const answer = await fetch(positionals[0] as string, {
  method: values.request ?? (values.data === undefined ? 'GET' : 'POST'),
  headers: values.header.map((line) => line.split(/: */, 2) as [string, string]),
  body: values.data ?? null,
});
process.stdout.write(await answer.text());
