// Values of sshd_config: each parser takes a word and gives a value, or throws RangeError with what is wrong, in sshd's words.

/** Largest int, in seconds 68 years. */
const maxInt = 0x7fff_ffff;
const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds, from `N[smhdw]` sequences such as `1h30m`. */
export function seconds(word: string): number {
  if (word === "") throw new RangeError("missing time value.");
  let total = 0;
  // Sticky: each part begins where the one before ended, so a long wrong word costs one pass.
  const part = /(\d+)([smhdw]?)/iy;
  while (part.lastIndex < word.length) {
    const [, count = "", unit = ""] = part.exec(word) ?? [];
    if (count === "") throw new RangeError("invalid time value.");
    total += Number(count) * (secondsIn[unit.toLowerCase()] ?? 1);
  }
  if (total > maxInt) throw new RangeError("invalid time value.");
  return total;
}

export function integer(word: string, max = maxInt): number {
  const why =
    word === ""
      ? "missing"
      : !/^\d+$/.test(word)
        ? "invalid"
        : Number(word) > max
          ? "too large"
          : "";
  if (why !== "") throw new RangeError(`integer value ${why}.`);
  return Number(word);
}

/** Decimal, no service names; 0 has the kernel choose (sshd refuses it). */
export function port(word: string): number {
  if (!/^\d{1,5}$/.test(word) || Number(word) > 65_535) {
    throw new RangeError("Badly formatted port number.");
  }
  return Number(word);
}

/** One of `choices`, without regard to case. */
export function choice<const T extends string>(word: string, choices: readonly T[]): T {
  const found = choices.find((name) => name === word.toLowerCase());
  if (found === undefined) throw new RangeError(`unsupported option "${word}".`);
  return found;
}

const truths: Readonly<Record<string, boolean>> = {
  yes: true,
  true: true,
  no: false,
  false: false,
};
export function yesNo(word: string): boolean {
  return truths[choice(word, ["yes", "true", "no", "false"])] === true;
}

/** Absolute: a daemon changes its folder, and its other processes never had the one that it was started in. */
export function absolutePath(word: string): string {
  if (!word.startsWith("/")) throw new RangeError(`"${word}" is not an absolute path`);
  return word;
}

export interface StartupLimits {
  readonly begin: number;
  /** Percent dropped at `begin`, rising to 100 at `full`. */
  readonly rate: number;
  readonly full: number;
}
/** `begin[:rate:full]`. */
export function startupLimits(word: string): StartupLimits {
  const [, first, second, third] = /^(\d{1,9})(?::(\d{1,9}):(\d{1,9}))?$/.exec(word) ?? [];
  const begin = Number(first ?? 0);
  const rate = Number(second ?? 30);
  const full = Number(third ?? begin);
  if (begin < 1 || begin > full || rate > 100 || rate < 1) {
    throw new RangeError("Invalid MaxStartups spec.");
  }
  return { begin, rate, full };
}

export interface RekeyLimit {
  /** 0: the default of the cipher. */
  readonly bytes: number;
  /** 0: no limit in time. */
  readonly seconds: number;
}
const bytesIn: Readonly<Record<string, number>> = {
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};
/** `bytes[BKMGT]|default [time|none]`. */
export function rekeyLimit(amount: string, time = "none"): RekeyLimit {
  let bytes = 0;
  if (amount !== "default") {
    const [, count, unit = ""] = /^(\d{1,15})([BKMGT]?)$/i.exec(amount) ?? [];
    bytes = Number(count) * (bytesIn[unit.toLowerCase()] ?? 1);
    if (count === undefined || !Number.isSafeInteger(bytes)) {
      throw new RangeError(`Bad RekeyLimit number '${amount}'`);
    }
  }
  if (bytes !== 0 && bytes < 16) throw new RangeError("RekeyLimit too small");
  return { bytes, seconds: time === "none" ? 0 : seconds(time) };
}
