// Numbers on the command line.

/** Throws RangeError, naming the option. */
export function numberOption(typed: string | undefined, option: string, max: number): number {
  if (typed === undefined || !/^\d{1,10}$/.test(typed) || Number(typed) > max)
    throw new RangeError(`${option} ${JSON.stringify(typed)} is not a number up to ${max}`);
  return Number(typed);
}
