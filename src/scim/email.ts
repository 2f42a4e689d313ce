const EMAIL_ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Whether a text has the form of an e-mail address, as far as anybody can tell without writing to it. */
export function isEmailAddress(text: string): boolean {
  return EMAIL_ADDRESS.test(text);
}
