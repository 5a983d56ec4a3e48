// The options in front of a key in authorized_keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT). Every one that sshd knows is known here; one
// that is not, or is malformed, spoils its line: a key is never wider than its line says.
import { checkAddressList } from "../config/patterns.ts";

export interface KeyOptions {
  readonly permitPty: boolean;
  readonly permitUserRc: boolean;
  readonly forcedCommand?: Uint8Array;
  /** NAME=value, the first of a name wins. */
  readonly environment: readonly string[];
  /** `from=`: patterns of addresses; absent: anywhere. */
  readonly from?: readonly string[];
  /** Milliseconds since 1970; the earliest of several. */
  readonly expiresAtMs?: number;
  readonly touchRequired: boolean;
  readonly verifyRequired: boolean;
}
type Mutable = { -readonly [K in keyof KeyOptions]: KeyOptions[K] };

const maxEnvironment = 64;
const maxPermits = 4096;

/**
 * The restrictions of two keys that were both asked for (auth-options.c, sshauthopt_merge): what either forbids is forbidden. Undefined: their
 * forced commands differ.
 */
export function mergeKeyOptions(first: KeyOptions, second: KeyOptions): KeyOptions | undefined {
  const [one, two] = [first.forcedCommand, second.forcedCommand];
  if (one !== undefined && two !== undefined && Buffer.compare(one, two) !== 0) return undefined;
  const forcedCommand = one ?? two;
  return {
    permitPty: first.permitPty && second.permitPty,
    permitUserRc: first.permitUserRc && second.permitUserRc,
    ...(forcedCommand === undefined ? {} : { forcedCommand }),
    environment: first.environment.length > 0 ? first.environment : second.environment,
    touchRequired: first.touchRequired || second.touchRequired,
    verifyRequired: first.verifyRequired || second.verifyRequired,
  };
}

/** `YYYYMMDD[HHMM[SS]]`, then `Z` or `UTC`, else local time. */
function expiry(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z|UTC)?$/i.exec(text);
  if (parts === null) throw new RangeError("invalid expires time");
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((n) => Number(n === "" ? 0 : ((n as string | undefined) ?? 0))); // groups may be undefined
  const at =
    parts[7] !== undefined
      ? Date.UTC(year, month - 1, day, hour, minute, second)
      : new Date(year, month - 1, day, hour, minute, second).getTime();
  if (
    !Number.isFinite(at) ||
    hour > 23 ||
    minute > 59 ||
    second > 59 ||
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > 31
  )
    throw new RangeError("invalid expires time");
  return at;
}

/** `host:port`, port 1-65535 or `*`; a host may be missing for permitlisten. */
function permittedAddress(text: string, hostOptional: boolean): void {
  const parts = /^(?:(\[[^\]]*\]|[^:]*):)?([^:]+)$/.exec(text);
  const port = parts?.[2] ?? "";
  if (parts === null || (parts[1] === undefined && !hostOptional))
    throw new RangeError("invalid permission address");
  if (port !== "*" && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    throw new RangeError("invalid permission port");
  }
}

/** Splits at commas outside quotes: `name` or `name="value"`. `\"` is the only escape, as in sshd and in optionsEnd. Throws RangeError. */
function splitOptions(text: string): [string, string | undefined][] {
  const options: [string, string | undefined][] = [];
  let rest = text;
  while (rest !== "") {
    const parts = /^([A-Za-z0-9-]+)(?:="((?:\\"|[^"\\]|\\(?!"))*)")?(,|$)/s.exec(rest);
    if (parts === null) throw new RangeError("malformed option");
    options.push([(parts[1] ?? "").toLowerCase(), parts[2]?.replaceAll('\\"', '"')]);
    rest = rest.slice(parts[0].length);
    if (parts[3] === "," && rest === "") throw new RangeError("option missing after comma");
  }
  return options;
}

/** Where a line's options end: the first blank outside quotes. -1 when a quote does not end. */
export function optionsEnd(line: string): number {
  let quoted = false;
  for (let i = 0; i < line.length; i += 1) {
    const character = line.charAt(i);
    if (character === "\\" && line.charAt(i + 1) === '"') i += 1;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === " " || character === "\t")) return i;
  }
  return quoted ? -1 : line.length;
}

export const defaultKeyOptions: KeyOptions = {
  permitPty: true,
  permitUserRc: true,
  environment: [],
  touchRequired: true,
  verifyRequired: false,
};

/**
 * Parses the options of one line (latin1: bytes stay bytes). Forwarding switches and permitopen, permitlisten, tunnel only restrict what
 * this server refuses wholly, so they are checked for form and hold by themselves. Throws RangeError saying what is wrong.
 */
export function parseKeyOptions(text: string): KeyOptions {
  const options: Mutable = { ...defaultKeyOptions };
  const environment: string[] = [];
  let permitted = 0;
  for (const [name, value] of splitOptions(text)) {
    const on = !name.startsWith("no-");
    const flag = on ? name : name.slice(3);
    if (value === undefined) {
      if (flag === "pty") options.permitPty = on;
      else if (flag === "user-rc") options.permitUserRc = on;
      else if (flag === "touch-required") options.touchRequired = on;
      else if (flag === "verify-required") options.verifyRequired = on;
      else if (name === "restrict")
        Object.assign(options, { permitPty: false, permitUserRc: false });
      else if (
        flag === "port-forwarding" ||
        flag === "agent-forwarding" ||
        flag.toLowerCase() === "x11-forwarding"
      )
        continue;
      else if (name === "cert-authority")
        throw new RangeError("certificates are not supported yet");
      else throw new RangeError(`unknown key option "${name}"`);
    } else if (name === "command") {
      if (options.forcedCommand !== undefined) throw new RangeError("multiple command clauses");
      options.forcedCommand = Buffer.from(value, "latin1");
    } else if (name === "environment") {
      if (!/^[A-Za-z0-9_]+=/.test(value)) throw new RangeError("invalid environment string");
      const prefix = value.slice(0, value.indexOf("=") + 1);
      if (environment.length >= maxEnvironment)
        throw new RangeError("too many environment strings");
      if (!environment.some((entry) => entry.startsWith(prefix))) environment.push(value);
    } else if (name === "from") {
      if (options.from !== undefined) throw new RangeError("multiple from clauses");
      options.from = value.split(",");
      checkAddressList(options.from); // a bad mask is found now
    } else if (name === "expiry-time") {
      options.expiresAtMs = Math.min(options.expiresAtMs ?? Infinity, expiry(value));
    } else if (name === "permitopen" || name === "permitlisten") {
      permittedAddress(value, name === "permitlisten");
      permitted += 1;
      if (permitted > maxPermits) throw new RangeError("too many permission directives");
    } else if (name === "tunnel") {
      if (!/^(\d+|any)$/i.test(value)) throw new RangeError("invalid tun device");
    } else if (name === "principals") {
      throw new RangeError("certificates are not supported yet");
    } else throw new RangeError(`unknown key option "${name}"`);
  }
  return { ...options, environment };
}
