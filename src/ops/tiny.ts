/** The least divisor: keeps 0 / 0 at 0, and lies far below any number that means something. */

export const TINY = 1e-30;
