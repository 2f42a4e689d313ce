/**
 * An instant as its ISO 8601 text in UTC, as SCIM shows it (milliseconds): made where it is read, which takes less than
 * to parse it in Node and to write it again. `value` is a timestamptz; null stays null.
 */
export const instantText = (value: string) =>
  `to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
