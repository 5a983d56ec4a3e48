// Values of sshd_config: each parser takes the words of a line and gives a value, or throws RangeError with what is wrong.

/** Seconds, from `N[smhdw]` sequences such as `1h30m`. */
export function seconds(word: string): number {
  if (!/^(\d+[smhdw]?)+$/i.test(word)) throw new RangeError("invalid time value");
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let total = 0;
  for (const [, count, unit] of word.matchAll(/(\d+)([smhdw]?)/gi)) {
    total += Number(count) * (units[(unit === "" ? "s" : (unit ?? "s")).toLowerCase()] ?? 1);
  }
  if (!Number.isSafeInteger(total) || total > 0x7fff_ffff)
    throw new RangeError("time value out of range");
  return total;
}

export function integer(word: string, max = 0x7fff_ffff): number {
  if (!/^\d+$/.test(word)) throw new RangeError("integer value required");
  const value = Number(word);
  if (value > max) throw new RangeError("integer value out of range");
  return value;
}

/** Decimal or service-free port, 1 to 65535 (0 lets the kernel choose, for tests). */
export function port(word: string): number {
  if (!/^\d{1,5}$/.test(word) || Number(word) > 65_535)
    throw new RangeError("Badly formatted port number");
  return Number(word);
}

export function choice<const T extends string>(word: string, choices: readonly T[]): T {
  const found = choices.find((name) => name === word.toLowerCase());
  if (found === undefined) throw new RangeError(`unsupported option "${word}"`);
  return found;
}

export function yesNo(word: string): boolean {
  const lower = word.toLowerCase();
  if (lower === "yes" || lower === "true") return true;
  if (lower === "no" || lower === "false") return false;
  throw new RangeError(`unsupported option "${word}"`);
}

export interface StartupLimits {
  begin: number;
  /** Percent dropped at `begin`, rising to 100 at `full`. */
  rate: number;
  full: number;
}
/** `begin[:rate:full]`. */
export function startupLimits(word: string): StartupLimits {
  const parts = /^(\d+)(?::(\d+):(\d+))?$/.exec(word);
  if (parts === null) throw new RangeError("Illegal MaxStartups spec");
  const begin = Number(parts[1]);
  const rate = parts[2] === undefined ? 100 : Number(parts[2]);
  const full = parts[3] === undefined ? begin : Number(parts[3]);
  if (begin > full || rate > 100 || rate < 1 || begin < 1)
    throw new RangeError("Illegal MaxStartups spec");
  return { begin, rate, full };
}

export interface RekeyLimit {
  /** 0: the default of the cipher. */
  bytes: number;
  /** 0: no limit in time. */
  seconds: number;
}
/** `bytes[KMG]|default [time|none]`. */
export function rekeyLimit(words: readonly string[]): RekeyLimit {
  const [amount = "", time = "none"] = words;
  const parts = /^(\d+)([KMG]?)$/i.exec(amount);
  const unit =
    { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[(parts?.[2] ?? "").toLowerCase()] ?? 1;
  if (parts === null && amount.toLowerCase() !== "default")
    throw new RangeError("Invalid RekeyLimit");
  const bytes = parts === null ? 0 : Number(parts[1]) * unit;
  if (bytes !== 0 && bytes < 16) throw new RangeError("RekeyLimit too small");
  return { bytes, seconds: time.toLowerCase() === "none" ? 0 : seconds(time) };
}

export interface ListenAddress {
  /** Numeric, without brackets; "" is every address of the families allowed. */
  address: string;
  /** Undefined: the Port lines say. */
  port?: number;
}
/** `host`, `host:port`, `[v6]:port`, bare v6. Names are not resolved: a start must not depend on DNS. */
export function listenAddress(word: string): ListenAddress {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(word);
  const plain = bracketed ?? /^([^:]+)(?::(\d+))?$/.exec(word);
  const [, host = word, given] = plain ?? [];
  const address = host === "localhost" ? "127.0.0.1" : host === "*" ? "" : host;
  if (address !== "" && !/^\d+\.\d+\.\d+\.\d+$/.test(address) && !address.includes(":")) {
    throw new RangeError(`bad address "${word}" (a numeric address is needed)`);
  }
  return given === undefined ? { address } : { address, port: port(given) };
}

/** Decimal, hex or sshd's names; a single value or `interactive bulk`. */
// prettier-ignore
const qosNames: Readonly<Record<string, number>> = {
  af11: 0x28, af12: 0x30, af13: 0x38, af21: 0x48, af22: 0x50, af23: 0x58, af31: 0x68, af32: 0x70, af33: 0x78,
  af41: 0x88, af42: 0x90, af43: 0x98, cs0: 0x00, cs1: 0x20, cs2: 0x40, cs3: 0x60, cs4: 0x80, cs5: 0xa0, cs6: 0xc0,
  cs7: 0xe0, ef: 0xb8, le: 0x04, lowdelay: 0x10, throughput: 0x08, reliability: 0x04, none: -1,
};
/** Type of service, or -1 for leaving it alone. */
export function typeOfService(word: string): number {
  const known = qosNames[word.toLowerCase()];
  if (known !== undefined) return known;
  const value = Number(word);
  if (!Number.isInteger(value) || value < 0 || value > 255)
    throw new RangeError(`Bad IPQoS value: ${word}`);
  return value;
}
