// Every keyword that sshd_config(5) knows, and our few: how its line is read, whether Match may hold it, how -T prints it.
// A keyword that needs what is not built yet takes only the value that asks for nothing, and refuses every other by name.
import { isLayerName } from "../sandbox/layers.ts";
import type { Keyword, Line } from "./keyword.ts";
import { algorithmList, type AlgorithmKind } from "./algorithms.ts";
import { withoutMeaning } from "./unsupported.ts";
import type { ServerOptions } from "./options.ts";
import {
  choice,
  integer,
  listenAddress,
  port,
  rekeyLimit,
  seconds,
  startupLimits,
  typeOfService,
  yesNo,
} from "./values.ts";

const single = (line: Line): string => {
  const [word, extra] = line.words;
  if (word === undefined) throw new RangeError("missing argument");
  if (extra !== undefined) throw new RangeError(`extra arguments at end of line: "${extra}"`);
  return word;
};
const several = (line: Line): string[] => {
  if (line.words.length === 0) throw new RangeError("missing argument");
  return [...line.words];
};

/** For options that are text or numbers: other types bring a `print` of their own. */
const text = (value: ServerOptions[keyof ServerOptions]): string =>
  String(value);

type Flags = Partial<Pick<Keyword, "inMatch" | "repeat" | "print">>;
const keyword = (
  name: string,
  option: keyof ServerOptions,
  read: Keyword["read"],
  flags: Flags = {},
): Keyword => ({
  name,
  option,
  inMatch: flags.inMatch ?? false,
  repeat: flags.repeat ?? "first",
  read,
  print: flags.print ?? ((options) => [text(options[option])]),
});
const inMatch = { inMatch: true };

const boolean = (name: string, option: keyof ServerOptions, flags: Flags = {}): Keyword =>
  keyword(name, option, (line) => yesNo(single(line)), {
    ...flags,
    print: (options) => [options[option] === true ? "yes" : "no"],
  });
const number = (name: string, option: keyof ServerOptions, flags: Flags = {}): Keyword =>
  keyword(name, option, (line) => integer(single(line)), flags);
const time = (name: string, option: keyof ServerOptions, flags: Flags = {}): Keyword =>
  keyword(name, option, (line) => seconds(single(line)), flags);
/** A list of words; printed on one line, and not at all when empty. */
const words = (name: string, option: keyof ServerOptions, flags: Flags = {}): Keyword =>
  keyword(name, option, several, {
    ...flags,
    print: (options) => {
      const list = options[option] as string[]; // this constructor is for string lists only
      return list.length === 0 ? [] : [list.join(" ")];
    },
  });
/** Lists that add up, one -T line an item, as sshd prints them. */
const gathered = (name: string, option: keyof ServerOptions): Keyword =>
  keyword(name, option, several, {
    inMatch: true,
    repeat: "append",
    print: (options) => options[option] as string[], // string lists only, as above
  });
const algorithms = (
  name: string,
  option: keyof ServerOptions,
  kind: AlgorithmKind,
  flags: Flags = {},
): Keyword =>
  keyword(name, option, (line) => algorithmList(kind, single(line)), {
    ...flags,
    print: (options) => [(options[option] as string[]).join(",")], // string lists only, as above
  });
const pathOrNone = (name: string, option: keyof ServerOptions, flags: Flags = {}): Keyword =>
  keyword(name, option, (line) => (single(line).toLowerCase() === "none" ? "" : single(line)), {
    ...flags,
    print: (options) => [options[option] === "" ? "none" : text(options[option])],
  });
const methods = (line: Line): string[][] => {
  const lists = several(line).map((list) => list.split(","));
  if (lists.length === 1 && lists[0]?.join() === "any") return [];
  for (const method of lists.flat()) {
    if (method !== "publickey")
      throw new RangeError(`authentication method "${method}" is not supported yet`);
  }
  return lists;
};
const layers = (line: Line): string[] => {
  const names = several(line).flatMap((word) => word.split(","));
  if (names.length === 1 && names[0] === "default") return [];
  for (const name of names) if (!isLayerName(name)) throw new RangeError(`unknown layer "${name}"`);
  return names;
};
const environment = (line: Line): string[] =>
  several(line).map((word) => {
    if (!/^[^=]+=/.test(word)) throw new RangeError(`invalid environment "${word}"`);
    return word;
  });

const levels = [
  "quiet",
  "fatal",
  "error",
  "info",
  "verbose",
  "debug",
  "debug1",
  "debug2",
  "debug3",
] as const;
const facilities = [
  "daemon",
  "user",
  "auth",
  "authpriv",
  ...Array.from({ length: 8 }, (_, i) => `local${i}`),
];

export const keywords: readonly Keyword[] = [
  keyword("Port", "port", (line) => [port(single(line))], {
    repeat: "append",
    print: (options) => options.port.map(String),
  }),
  keyword("AddressFamily", "addressFamily", (line) =>
    choice(single(line), ["any", "inet", "inet6"]),
  ),
  keyword("ListenAddress", "listenAddress", (line) => [listenAddress(single(line))], {
    repeat: "append",
    print: (options) =>
      options.listenAddress.flatMap(({ address, port: own }) =>
        (own === undefined ? options.port : [own]).map((number) =>
          address.includes(":")
            ? `[${address}]:${number}`
            : `${address === "" ? "*" : address}:${number}`,
        ),
      ),
  }),
  keyword("HostKey", "hostKey", (line) => [single(line)], {
    repeat: "append",
    print: (o) => o.hostKey,
  }),
  algorithms("HostKeyAlgorithms", "hostKeyAlgorithms", "hostKey"),
  algorithms("KexAlgorithms", "kexAlgorithms", "kex"),
  algorithms("Ciphers", "ciphers", "cipher"),
  algorithms("MACs", "macs", "mac"),
  algorithms("PubkeyAcceptedAlgorithms", "pubkeyAcceptedAlgorithms", "pubkey", inMatch),
  number("RequiredRSASize", "requiredRsaSize", inMatch),
  keyword("RekeyLimit", "rekeyLimit", (line) => rekeyLimit(several(line)), {
    inMatch: true,
    print: ({ rekeyLimit: limit }) => [`${limit.bytes} ${limit.seconds}`],
  }),
  keyword(
    "VersionAddendum",
    "versionAddendum",
    (line) => {
      if (/[^ -~]/.test(line.rest)) throw new RangeError("Invalid VersionAddendum");
      return line.rest.toLowerCase() === "none" ? "" : line.rest;
    },
    { print: (options) => [options.versionAddendum === "" ? "none" : options.versionAddendum] },
  ),
  boolean("PubkeyAuthentication", "pubkeyAuthentication", inMatch),
  keyword(
    "PubkeyAuthOptions",
    "pubkeyAuthOptions",
    (line) => {
      const list = single(line).toLowerCase().split(",");
      return list.length === 1 && list[0] === "none"
        ? []
        : list.map((o) => choice(o, ["touch-required", "verify-required"]));
    },
    {
      inMatch: true,
      print: (o) => [o.pubkeyAuthOptions.length === 0 ? "none" : o.pubkeyAuthOptions.join(",")],
    },
  ),
  words("AuthorizedKeysFile", "authorizedKeysFile", inMatch),
  boolean("StrictModes", "strictModes"),
  keyword(
    "PermitRootLogin",
    "permitRootLogin",
    (line) => {
      const value = choice(single(line), [
        "yes",
        "no",
        "prohibit-password",
        "without-password",
        "forced-commands-only",
      ]);
      return value === "without-password" ? "prohibit-password" : value;
    },
    inMatch,
  ),
  gathered("AllowUsers", "allowUsers"),
  gathered("DenyUsers", "denyUsers"),
  gathered("AllowGroups", "allowGroups"),
  gathered("DenyGroups", "denyGroups"),
  keyword("AuthenticationMethods", "authenticationMethods", methods, {
    inMatch: true,
    print: (o) => [
      o.authenticationMethods.length === 0
        ? "any"
        : o.authenticationMethods.map((m) => m.join(",")).join(" "),
    ],
  }),
  number("MaxAuthTries", "maxAuthTries", inMatch),
  number("MaxSessions", "maxSessions", inMatch),
  keyword("MaxStartups", "maxStartups", (line) => startupLimits(single(line)), {
    print: ({ maxStartups: m }) => [`${m.begin}:${m.rate}:${m.full}`],
  }),
  time("LoginGraceTime", "loginGraceTime"),
  gathered("AcceptEnv", "acceptEnv"),
  keyword("SetEnv", "setEnv", environment, { inMatch: true, print: (o) => o.setEnv }),
  boolean("PermitTTY", "permitTty", inMatch),
  keyword("PermitUserEnvironment", "permitUserEnvironment", (line) => single(line)),
  keyword(
    "ForceCommand",
    "forceCommand",
    (line) => {
      if (line.rest === "") throw new RangeError("missing argument");
      if (line.rest === "internal-sftp") throw new RangeError("internal-sftp is not supported yet");
      return line.rest.toLowerCase() === "none" ? "" : line.rest;
    },
    { inMatch: true, print: (o) => [o.forceCommand === "" ? "none" : o.forceCommand] },
  ),
  keyword(
    "Subsystem",
    "subsystem",
    (line) => {
      const [name, first] = line.words;
      if (name === undefined || first === undefined)
        throw new RangeError("Missing subsystem name or command");
      if (first === "internal-sftp")
        throw new RangeError(
          "internal-sftp is not supported yet; name a program such as /usr/lib/openssh/sftp-server",
        );
      return [{ name, command: line.rest.slice(line.rest.indexOf(first, name.length)) }];
    },
    {
      inMatch: true,
      repeat: "append",
      print: (o) => o.subsystem.map((s) => `${s.name} ${s.command}`),
    },
  ),
  pathOrNone("Banner", "banner", inMatch),
  boolean("PrintMotd", "printMotd"),
  time("ClientAliveInterval", "clientAliveInterval", inMatch),
  number("ClientAliveCountMax", "clientAliveCountMax", inMatch),
  boolean("TCPKeepAlive", "tcpKeepAlive"),
  keyword(
    "IPQoS",
    "ipQos",
    (line) => {
      const [interactive = "", bulk = interactive] = several(line);
      return [typeOfService(interactive), typeOfService(bulk)];
    },
    {
      inMatch: true,
      print: (o) => [o.ipQos.map((q) => (q < 0 ? "none" : `0x${q.toString(16)}`)).join(" ")],
    },
  ),
  keyword(
    "LogLevel",
    "logLevel",
    (line) => choice(single(line), levels).replace(/^debug$/, "debug1"),
    {
      inMatch: true,
      print: (o) => [o.logLevel.toUpperCase()],
    },
  ),
  keyword("SyslogFacility", "syslogFacility", (line) => choice(single(line), facilities), {
    print: (o) => [o.syslogFacility.toUpperCase()],
  }),
  keyword("PidFile", "pidFile", single),
  boolean("RefuseConnection", "refuseConnection", inMatch),
  // Ours
  keyword("EventLog", "eventLog", single),
  keyword("SandboxRequire", "sandboxRequire", layers, {
    print: (o) => [o.sandboxRequire.length === 0 ? "default" : o.sandboxRequire.join(",")],
  }),
  keyword("PrivsepUser", "privsepUser", single),
  keyword("WarmPairs", "warmPairs", (line) => integer(single(line), 64)),
  ...withoutMeaning,
];
