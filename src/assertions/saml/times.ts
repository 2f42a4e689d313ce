import { AssertionError } from '../types.ts';
import type { XmlElement } from './xml.ts';

/** How far the clocks of an identity provider and ours may differ, in milliseconds. */
export const SKEW = 60_000;
/** How old an assertion may be that arrives: a sign-in takes seconds, and what is older was kept by somebody. */
export const MAX_AGE = 10 * 60_000;
/** As long as an assertion may promise to hold: Entra ID's hour is the longest of the defaults. */
export const MAX_LIFETIME = 60 * 60_000;

/** SAML core section 1.3.3: xs:dateTime in UTC. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** The time that an attribute holds, in milliseconds since 1970; undefined where the attribute is absent. */
export function instant(element: XmlElement, name: string): number | undefined {
  const text = element.attributes.get(name);
  if (text === undefined) return undefined;
  const time = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new AssertionError('malformed', `${name} is not a time in UTC.`);
  return time;
}

/** Throws `not_yet_valid` before a time, give or take the skew. An absent time has passed. */
export function requirePassed(time: number | undefined, now: Date, what: string): void {
  if (time !== undefined && now.getTime() + SKEW < time) {
    throw new AssertionError(
      'not_yet_valid',
      `${what} lies ahead. Compare the identity provider's clock with ours.`,
    );
  }
}

/** Throws `expired` from a time on, give or take the skew. An absent time never comes. */
export function requireAhead(time: number | undefined, now: Date, what: string): void {
  if (time !== undefined && now.getTime() - SKEW >= time) {
    throw new AssertionError(
      'expired',
      `${what} has passed. Let the person sign in again, and compare the clocks.`,
    );
  }
}
