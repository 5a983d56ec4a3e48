// Keywords of the server as a whole: where it listens, its keys and algorithms, limits, log; and the few that are ours.
import { isLayerName, type LayerName } from "../sandbox/layers.ts";
import { option, several, single, type Keyword, type Values } from "./keyword.ts";
import { BadLine } from "./lines.ts";
import { printTypeOfService, typeOfService } from "./ip-qos.ts";
import { listenAddress, printListenAddresses, type ListenAddress } from "./listen-address.ts";
import { syslogFacilities, type ServerOptions } from "./options.ts";
import {
  absolutePath,
  port,
  rekeyLimit,
  startupLimits,
  type RekeyLimit,
  type StartupLimits,
} from "./values.ts";
import {
  algorithms,
  count,
  duration,
  flag,
  gathered,
  oneOf,
  pathOrNone,
  restOfLine,
} from "./value-kinds.ts";

const inMatch = { inMatch: true };

const ports: Values<readonly number[]> = {
  read: (line) => [port(single(line, "missing port number."))],
  print: (value) => value.map(String),
};
const addresses: Values<readonly ListenAddress[]> = {
  read: (line) => listenAddress(single(line, "missing address")),
  print: (value, options) => printListenAddresses(value, options.port, options.addressFamily),
};
const hostKeys: Values<readonly string[]> = {
  read: (line) => [absolutePath(single(line, "missing file name."))],
  print: gathered().print,
};
const rekey: Values<RekeyLimit> = {
  read: (line) => {
    const [bytes, time, extra] = several(line);
    if (extra !== undefined)
      throw new BadLine(`keyword ${line.written} extra arguments at end of line`);
    return rekeyLimit(bytes, time);
  },
  print: ({ bytes, seconds }) => [`${bytes} ${seconds}`],
};
const startups: Values<StartupLimits> = {
  read: (line) => startupLimits(single(line)),
  print: ({ begin, rate, full }) => [`${begin}:${rate}:${full}`],
};
const qos: Values<readonly [number, number]> = {
  read: (line) => {
    const [interactive, bulk = interactive, extra] = several(line);
    if (extra !== undefined)
      throw new BadLine(`keyword ${line.written} extra arguments at end of line`);
    return [typeOfService(interactive), typeOfService(bulk)];
  },
  print: (value) => [value.map(printTypeOfService).join(" ")],
};

// prettier-ignore
const levels = [
  "quiet", "fatal", "error", "info", "verbose", "debug", "debug1", "debug2", "debug3",
] as const;
const logLevel: Values<ServerOptions["logLevel"]> = {
  read: (line) => {
    const word = single(line);
    const level = levels.find((name) => name === word.toLowerCase());
    if (level === undefined) throw new RangeError(`unsupported log level '${word}'`);
    return level === "debug" ? "debug1" : level;
  },
  print: (value) => [value.toUpperCase()],
};
const facility: Values<ServerOptions["syslogFacility"]> = {
  read: (line) => {
    const word = single(line);
    const found = syslogFacilities.find((name) => name === word.toLowerCase());
    if (found === undefined) throw new RangeError(`unsupported log facility '${word}'`);
    return found;
  },
  print: (value) => [value.toUpperCase()],
};
const eventLog: Values<string> = {
  read: (line) => {
    const word = single(line);
    return word === "none" || word === "stderr" ? word : absolutePath(word);
  },
  print: pathOrNone("none").print,
};
const layers: Values<readonly LayerName[]> = {
  read: (line) => {
    const names = several(line).flatMap((word) => word.split(","));
    if (names.length === 1 && names[0] === "default") return [];
    return names.map((name) => {
      if (!isLayerName(name)) throw new RangeError(`unknown layer "${name}"`);
      return name;
    });
  },
  print: (value) => [value.length === 0 ? "default" : value.join(",")],
};
const userName: Values<string> = {
  read: (line) => {
    const name = single(line);
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}\$?$/.test(name))
      throw new RangeError(`"${name}" is not a user name`);
    return name;
  },
  print: (value) => [value],
};

/** The identification line has 255 bytes at most (RFC 4253 section 4.2), and its own part comes first. */
const maxAddendumBytes = 200;
function checkAddendum(text: string): void {
  if (/[^ -~]/.test(text) || text.length > maxAddendumBytes)
    throw new RangeError("Invalid VersionAddendum");
}

// prettier-ignore
export const serverKeywords: readonly Keyword[] = [
  option("Port", "port", ports, "Ports to listen on; lines add up; `-p` replaces them all", { repeat: "append" }),
  option("AddressFamily", "addressFamily", oneOf(["any", "inet", "inet6"]), "IPv4, IPv6 or both"),
  option("ListenAddress", "listenAddress", addresses, "`ADDRESS`, `ADDRESS:PORT`; numeric, or `localhost`; lines add up", { repeat: "append" }),
  option("HostKey", "hostKey", hostKeys, "Private host keys, absolute paths; lines add up", { repeat: "append", aliases: ["HostDSAKey"] }),
  option("HostKeyAlgorithms", "hostKeyAlgorithms", algorithms("hostKey"), "Signature algorithms offered for host keys"),
  option("KexAlgorithms", "kexAlgorithms", algorithms("kex"), "Key exchange methods, in order of preference"),
  option("Ciphers", "ciphers", algorithms("cipher"), "Ciphers"),
  option("MACs", "macs", algorithms("mac"), "MACs, for the ciphers that need one; `hmac-sha1` and its etm form only on request"),
  option("RekeyLimit", "rekeyLimit", rekey, "Bytes (`default`: the cipher's) and optionally time until new keys", inMatch),
  option("VersionAddendum", "versionAddendum", restOfLine(checkAddendum), "Text after the version in the identification line, or `none`"),
  option("MaxStartups", "maxStartups", startups, "Connections not authenticated yet: `BEGIN[:RATE:FULL]`"),
  option("LoginGraceTime", "loginGraceTime", duration, "Time to authenticate; 0: no limit"),
  option("ClientAliveInterval", "clientAliveInterval", duration, "Silence after which the client is asked; 0: never", inMatch),
  option("ClientAliveCountMax", "clientAliveCountMax", count(), "Questions without an answer before the connection ends; 0: it never does", inMatch),
  option("TCPKeepAlive", "tcpKeepAlive", flag, "SO_KEEPALIVE", { aliases: ["KeepAlive"] }),
  option("IPQoS", "ipQos", qos, "Type of service, interactive and bulk", inMatch),
  option("LogLevel", "logLevel", logLevel, "Least important lines that are logged", inMatch),
  option("SyslogFacility", "syslogFacility", facility, "Facility of the system log"),
  option("PidFile", "pidFile", pathOrNone("none"), "Where the listener's pid is written, or `none`"),
  option("EventLog", "eventLog", eventLog, "Events as JSON lines: a path, `stderr` or `none`", { support: "own" }),
  option("SandboxRequire", "sandboxRequire", layers, "Layers of confinement without which nothing is served, or `default`", { support: "own" }),
  option("PrivsepUser", "privsepUser", userName, "User that session processes and the signer run as", { support: "own" }),
  option("WarmPairs", "warmPairs", count(64), "Pairs of broker and session process kept waiting", { support: "own" }),
  option("IgnoreUnsupported", "ignoreUnsupported", { read: (line) => several(line).flatMap((word) => word.toLowerCase().split(",")), print: (value) => (value.length === 0 ? [] : [[...new Set(value)].join(",")]) }, "Patterns of keywords whose lines are skipped, and logged, where they ask for what is not built; never where that would lift a restriction", { support: "own", repeat: "append" }),
];
