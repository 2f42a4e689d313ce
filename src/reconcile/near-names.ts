import { foldText } from '../scim/fold.ts';

/** A name that somebody may have meant, and how it differs: "in case only". */
export interface NearName {
  readonly name: string;
  readonly differs: string;
}

/** Of shorter names too many differ by one character: "HR 1" and "HR 2". Longer ones would cost too much to compare. */
const ONE_EDIT = { min: 5, max: 64 };

/**
 * For names that mean nothing: the name that somebody may have meant. First one that differs in case, white space or
 * Unicode form only; for names of 5 to 64 characters also one with one character more, less or other, whatever its
 * case. Takes time in the sum of both lists, not in their product.
 */
export function nearNames(written: Iterable<string>, names: Iterable<string>): ReadonlyMap<string, NearName> {
  const byForm = new Map<string, { readonly name: string; readonly loose: string }[]>();
  for (const name of new Set(written)) {
    for (const form of formsOf(loose(name))) {
      const sharing = byForm.get(form);
      if (sharing === undefined) byForm.set(form, [{ name, loose: loose(name) }]);
      else sharing.push({ name, loose: loose(name) });
    }
  }
  const alike = new Map<string, NearName>();
  const oneEditApart = new Map<string, NearName>();
  for (const name of names) {
    const candidate = loose(name);
    for (const wanted of [...formsOf(candidate)].flatMap((form) => byForm.get(form) ?? [])) {
      if (wanted.loose === candidate) alike.set(wanted.name, { name, differs: howAlike(wanted.name, name) });
      else if (isOneEditApart(wanted.loose, candidate)) {
        oneEditApart.set(wanted.name, { name, differs: 'in one character' });
      }
    }
  }
  return new Map([...oneEditApart, ...alike]);
}

/** A text and what is left of it without any one of its characters: texts that are one edit apart share one of these. */
function formsOf(text: string): ReadonlySet<string> {
  const forms = new Set([text]);
  if (text.length < ONE_EDIT.min || text.length > ONE_EDIT.max) return forms;
  for (let index = 0; index < text.length; index += 1) {
    forms.add(text.slice(0, index) + text.slice(index + 1));
  }
  return forms;
}

/** A name without what people overlook: case, white space, invisible characters, Unicode's several forms. */
function loose(name: string): string {
  return visible(foldText(name));
}

function visible(text: string): string {
  return text.replace(/[\s\p{Cf}]+/gu, '');
}

function howAlike(left: string, right: string): string {
  if (left.toLowerCase() === right.toLowerCase()) return 'in case only';
  if (left.normalize('NFKC') === right.normalize('NFKC')) return 'in the Unicode form of characters only';
  if (visible(left) === visible(right)) return 'in white space or invisible characters only';
  return 'in case, white space or Unicode form only';
}

/** Whether inserting, removing or replacing one UTF-16 unit of a text of some length makes the other. */
function isOneEditApart(wanted: string, candidate: string): boolean {
  const [short, long] = wanted.length <= candidate.length ? [wanted, candidate] : [candidate, wanted];
  if (wanted.length < ONE_EDIT.min || long.length - short.length > 1) return false;
  let same = 0;
  while (same < short.length && short[same] === long[same]) same += 1;
  return long.slice(same + 1) === short.slice(long.length === short.length ? same + 1 : same);
}
