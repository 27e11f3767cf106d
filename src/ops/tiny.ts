/** Smallest divisor: makes 0 / 0 give 0, and lies far below any meaningful number. */

export const TINY = 1e-30;
