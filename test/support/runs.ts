/** How often a property is tried: in the suite, and with `ROLLCALL_DEEP=1` in a search for rare cases. */
export const runs = (suite: number, deep: number) => (process.env.ROLLCALL_DEEP === '1' ? deep : suite);

/** What random tests start from. A failure names it, and `ROLLCALL_SEED` brings the failure back. */
export const SEED = Number(process.env.ROLLCALL_SEED ?? Date.now() % 2 ** 31);
