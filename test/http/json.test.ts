import t from 'tap';
import { AppError } from '../../src/errors.ts';
import { parseJson } from '../../src/http/json.ts';

/** The refusal of a body, as `reason: message`; undefined when it is read. */
function refusal(text: string): string | undefined {
  try {
    parseJson(Buffer.from(text));
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_request')
      return `${error.reason}: ${error.message}`;
    throw error;
  }
  return undefined;
}

const MIB = 1024 * 1024;
const list = (item: string, length: number) => `[${Array(length).fill(item).join()}]`;

t.test('a body of too many parts is refused before it is parsed', async (t) => {
  const bodies: readonly [name: string, text: string][] = [
    ['numbers', list('0', 8 * MIB)],
    ['objects', list('{}', 5 * MIB)],
    ['members', list('{"a":0}', 2 * MIB)],
    ['brackets', list('['.repeat(30) + ']'.repeat(30), MIB / 4)],
    ['parts that are not even JSON', '],'.repeat(2_000_000)],
  ];
  const object = (members: number) => `{${Array.from({ length: members }, (_, n) => `"${n}":0`).join()}}`;
  t.match(refusal(`[${object(1_001)}]`), /^json_size: An object .*1000 names/);
  t.equal(refusal(`[${object(1_000)},${object(1_000)}]`), undefined, 'each object for itself');
  for (const [name, text] of bodies) t.match(refusal(text), /^json_size: .*1500000/, name);
});

t.test('large bodies are read', async (t) => {
  const member = {
    value: '2819c223-7f76-453a-919d-413861904646',
    $ref: 'https://example.com/Users/2819c223-7f76-453a-919d-413861904646',
    type: 'User',
    display: 'bjensen@example.com',
  };
  t.equal(refusal(`{"members":${list(JSON.stringify(member), 100_000)}}`), undefined, '100,000 members');
  t.equal(refusal(`{"a":"${'[{,:'.repeat(4 * MIB)}"}`), undefined, 'text is one value, whatever it holds');
  t.equal(refusal(list('0', 1_499_999)), undefined, 'the most parts');
});

t.test('refusals say where', async (t) => {
  const rows: readonly [text: string, expected: RegExp][] = [
    ['"a\\u0000"', /^json_text: .* at \/ holds a NUL/],
    ['{"a":[0,{"b":["x","\\ud800"]}]}', /^json_text: .* at \/a\/1\/b\/1 holds half a surrogate/],
    ['{"a":[[0],[1]],"b":{"c":"\\u0000"}}', /^json_text: .* at \/b\/c holds/],
    ['{"a":{"c":1,"\\u0000":0}}', /^json_text: .* at \/a holds/],
    ['{"a":[{},{"__proto__":0}]}', /^json_text: .*\(at \/a\/1\)/],
    ['{"a":{"b":0},"c":[{"b":0,"b":0}]}', /^json_duplicate: "b" stands twice/],
    [`{"a":"${'x'.repeat(15 * MIB)}","a":1}`, /^json_duplicate: "a" stands twice/],
    [`{"a":"${'\\n'.repeat(7 * MIB)}","a":1}`, /^json_duplicate: "a" stands twice/],
  ];
  for (const [text, expected] of rows) t.match(refusal(text), expected, text.slice(0, 40));
});
