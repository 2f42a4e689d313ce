/** A part of a list in the order of ids, which are UUIDs of version 7: the order of creation. */
export interface Page {
  /** The id of the last one that the reader has; the nil UUID starts at the beginning. */
  readonly after: string;
  readonly limit: number;
}
