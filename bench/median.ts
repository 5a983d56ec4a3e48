/** The middle of the list, the higher one of two; NaN of none. */
export const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
