import { MAX_BULK_BYTES } from '../../scim/discovery.ts';

/** The largest bodies that are read, in bytes; above it is 413 before a byte is parsed. */
export const BODY_LIMITS = {
  /** `/Groups/{id}`: a whole membership of 100,000 fits. */
  group: 16 * 1024 * 1024,
  bulk: MAX_BULK_BYTES,
  default: 1024 * 1024,
} as const;
