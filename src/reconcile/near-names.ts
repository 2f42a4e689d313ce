import { foldText } from '../scim/fold.ts';

/** A name that somebody may have meant, and how it differs: "in case only". */
export interface NearName {
  readonly name: string;
  readonly differs: string;
}

/** Of shorter names too many differ by one character: "IT" and "HR 1" and "HR 2". */
const MIN_ONE_EDIT = 5;

/**
 * Finds the name that somebody may have meant who wrote another one, in one pass over all names for each search.
 * First one that differs in case, white space or Unicode form only; for names of five characters and more also one
 * with one character more, less or other, whatever its case.
 */
export function nearNames(names: Iterable<string>): (written: string) => NearName | undefined {
  const byLoose = new Map([...names].map((name) => [loose(name), name]));
  return (written) => {
    const wanted = loose(written);
    const alike = byLoose.get(wanted);
    if (alike !== undefined) return { name: alike, differs: howAlike(written, alike) };
    if (wanted.length < MIN_ONE_EDIT) return undefined;
    for (const [candidate, name] of byLoose) {
      if (isOneEditApart(wanted, candidate)) return { name, differs: 'in one character' };
    }
    return undefined;
  };
}

/** A name without what people overlook: case, white space, invisible characters, Unicode's several forms. */
function loose(name: string): string {
  return foldText(name).replace(/[\s\p{Cf}]+/gu, '');
}

function howAlike(left: string, right: string): string {
  if (left.toLowerCase() === right.toLowerCase()) return 'in case only';
  if (left.normalize('NFKC') === right.normalize('NFKC')) return 'in the Unicode form of characters only';
  const spaceless = (name: string) => name.replace(/[\s\p{Cf}]+/gu, '');
  return spaceless(left) === spaceless(right)
    ? 'in white space or invisible characters only'
    : 'in case, white space or Unicode form only';
}

/** Whether inserting, removing or replacing one UTF-16 unit of a text makes the other. */
function isOneEditApart(left: string, right: string): boolean {
  const [short, long] = left.length <= right.length ? [left, right] : [right, left];
  if (long.length - short.length > 1) return false;
  let same = 0;
  while (same < short.length && short[same] === long[same]) same += 1;
  return long.slice(same + 1) === short.slice(long.length === short.length ? same + 1 : same);
}
