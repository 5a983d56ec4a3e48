// sshd's command line (sshd(8)), by getopt's rules.
import { resolve } from "node:path";
import { port, seconds } from "./values.ts";

export interface Flags {
  /** Absolute, or "none". */
  file: string;
  fileGiven: boolean;
  /** `Keyword value`, in order: -o, -p, -h, -4, -6, -g, -u0. Host keys of -h come before those of the file. */
  overrides: string[];
  foreground: boolean;
  /** Number of -d. */
  debug: number;
  logToStderr: boolean;
  logFile: string | undefined;
  inetd: boolean;
  quiet: boolean;
  action: "serve" | "test" | "dump" | "parse" | "version" | "help";
  /** -C, `key=value`; `invalid-user` is "yes". */
  connection: Record<string, string>;
}

/** The flags are wrong: usage and exit status 1. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const takesValue = "CEbcfghkopu";
const plain = "46DGQRTdeiqrtV";

export const usage = `usage: sallyportd [-46DdeGiqTtV] [-C connection_spec] [-E log_file] [-f config_file]
                  [-g login_grace_time] [-h host_key_file] [-o option] [-p port] [-u len]`;

export const help = `${usage}

  -D            stay in the foreground          -d   debug: one connection, foreground, log to stderr
  -e            log to stderr                   -E   append the log to this file
  -f FILE       configuration (default /etc/ssh/sshd_config; "none": no file)
  -o "Keyword value"   as a line before the file's first          -p PORT   instead of the Port lines
  -h FILE       a host key                      -g TIME   LoginGraceTime
  -i            one connection on standard input and output
  -t            check the configuration and the host keys         -T   and print what holds (-C: for a connection)
  -G            print the configuration without host keys         -V   version
  -4, -6        one address family              -q   quiet

Configuration: sshd_config(5) syntax. What is not supported is refused with its file and line.
Exit status: 0; 1 for wrong flags or no host key; 255 for a wrong configuration and other failures.`;

function isPort(word = ""): boolean {
  try {
    return port(word) >= 0;
  } catch {
    return false;
  }
}
function isTime(word: string): boolean {
  try {
    return seconds(word) >= 0;
  } catch {
    return false;
  }
}
/** Told the whole line of a configuration, so that blanks and quotes in a path stay what they are. */
const quoted = (path: string): string => `"${resolve(path).replaceAll(/["\\]/g, "\\$&")}"`;
const insist = (isRight: boolean, message: string): void => {
  if (!isRight) throw new UsageError(message);
};

function connectionSpec(spec: string): Record<string, string> {
  return Object.fromEntries(
    spec.split(",").map((pair) => {
      const parts = /^(user|host|addr|laddr|lport|rdomain)=(.*)$|^(invalid-user)$/.exec(pair);
      if (parts === null) throw new UsageError(`Invalid test mode specification ${pair}`);
      if (parts[1] === "lport" && !isPort(parts[2]))
        throw new UsageError(`Invalid port '${parts[2] ?? ""}' in test mode specification ${spec}`);
      return [parts[1] ?? "invalid-user", parts[2] ?? "yes"];
    }),
  );
}

/** Throws UsageError. `argv` without the program. */
export function parseFlags(argv: readonly string[]): Flags {
  const flags: Flags = {
    file: "/etc/ssh/sshd_config",
    fileGiven: false,
    overrides: [],
    foreground: false,
    debug: 0,
    logToStderr: false,
    logFile: undefined,
    inetd: false,
    quiet: false,
    action: "serve",
    connection: {},
  };
  const take: Readonly<Record<string, (value: string) => void>> = {
    C: (value) => Object.assign(flags.connection, connectionSpec(value)),
    E: (value) => (flags.logFile = value),
    f: (value) => {
      // A daemon changes its folder, and reads the file again at SIGHUP.
      flags.file = value === "none" ? value : resolve(value);
      flags.fileGiven = true;
    },
    g: (value) => {
      insist(isTime(value), "Invalid login grace time.");
      flags.overrides.push(`LoginGraceTime ${value}`);
    },
    h: (value) => flags.overrides.push(`HostKey ${quoted(value)}`),
    o: (value) => flags.overrides.push(value),
    p: (value) => {
      insist(isPort(value), "Bad port number.");
      flags.overrides.push(`Port ${value}`);
    },
    u: (value) => {
      insist(/^\d{1,5}$/.test(value), "Invalid utmp length.");
      if (Number(value) === 0) flags.overrides.push("UseDNS no");
    },
    c: () => {
      throw new UsageError("-c: host certificates are not supported yet");
    },
    "4": () => flags.overrides.push("AddressFamily inet"),
    "6": () => flags.overrides.push("AddressFamily inet6"),
    D: () => (flags.foreground = true),
    G: () => (flags.action = "parse"),
    T: () => (flags.action = "dump"),
    d: () => (flags.debug += 1),
    e: () => (flags.logToStderr = true),
    i: () => (flags.inetd = true),
    q: () => (flags.quiet = true),
    t: () => (flags.action = "test"),
    V: () => (flags.action = "version"),
    R: () => {
      throw new UsageError("-R not supported here");
    },
  };
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i] ?? "";
    if (word === "--" && i === argv.length - 1) break;
    if (word === "--help") flags.action = "help";
    else if (word === "--version") flags.action = "version";
    else if (!/^-[^-]/.test(word)) throw new UsageError(`Extra argument ${word}.`);
    else {
      for (let j = 1; j < word.length; j += 1) {
        const letter = word.charAt(j);
        if (takesValue.includes(letter)) {
          const value = word.slice(j + 1) || argv[(i += 1)];
          if (value === undefined) throw new UsageError(`option requires an argument -- ${letter}`);
          take[letter]?.(value); // -b and -k are taken and mean nothing, as in sshd
          break;
        }
        if (!plain.includes(letter)) throw new UsageError(`unknown option -- ${letter}`);
        take[letter]?.(""); // -Q and -r likewise
      }
    }
  }
  insist(
    Object.keys(flags.connection).length === 0 ||
      flags.action === "dump" ||
      flags.action === "parse",
    "Config test connection parameter (-C) provided without test mode (-T)",
  );
  return flags;
}
