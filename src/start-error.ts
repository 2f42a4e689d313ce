/**
 * The service cannot start, for a reason that a person can mend. The message says what is wrong and what to
 * do; it is printed as it is, without a stack.
 */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
  }
}
