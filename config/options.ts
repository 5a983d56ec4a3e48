// The options of the server, typed, with their defaults. Names are sshd_config's in camel case.
import type { LogLevel } from "../ipc/listener.ts";
import type { LayerName } from "../sandbox/layers.ts";
import { implemented } from "./algorithms.ts";
import type { ListenAddress } from "./listen-address.ts";
import type { RekeyLimit, StartupLimits } from "./values.ts";

export interface Subsystem {
  readonly name: string;
  /** A command line for the user's shell. */
  readonly command: string;
}

export interface ServerOptions {
  readonly port: readonly number[];
  readonly listenAddress: readonly ListenAddress[];
  readonly addressFamily: "any" | "inet" | "inet6";
  readonly hostKey: readonly string[];
  readonly hostKeyAlgorithms: readonly string[];
  readonly kexAlgorithms: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
  readonly pubkeyAcceptedAlgorithms: readonly string[];
  /** Bits. */
  readonly requiredRsaSize: number;
  readonly rekeyLimit: RekeyLimit;
  readonly versionAddendum: string;
  readonly pubkeyAuthentication: boolean;
  readonly pubkeyAuthOptions: readonly ("touch-required" | "verify-required")[];
  /** Paths with %h %u %U %%, from the home unless absolute; empty: no file ("none"). */
  readonly authorizedKeysFile: readonly string[];
  readonly strictModes: boolean;
  readonly permitRootLogin: "yes" | "no" | "prohibit-password" | "forced-commands-only";
  readonly allowUsers: readonly string[];
  readonly denyUsers: readonly string[];
  readonly allowGroups: readonly string[];
  readonly denyGroups: readonly string[];
  /** Lists of methods, each list in order; empty: any one method. */
  readonly authenticationMethods: readonly (readonly string[])[];
  readonly maxAuthTries: number;
  readonly maxSessions: number;
  readonly maxStartups: StartupLimits;
  /** Seconds; 0: none. */
  readonly loginGraceTime: number;
  readonly acceptEnv: readonly string[];
  /** NAME=value, each name once. */
  readonly setEnv: readonly string[];
  readonly permitTty: boolean;
  /** "yes", "no", or the patterns of names that are taken, comma-separated. */
  readonly permitUserEnvironment: string;
  /** ~/.ssh/rc runs. */
  readonly permitUserRc: boolean;
  /** "": none. */
  readonly forceCommand: string;
  readonly subsystem: readonly Subsystem[];
  /** Path; "": none. */
  readonly banner: string;
  readonly printMotd: boolean;
  /** Seconds; 0: never. */
  readonly clientAliveInterval: number;
  readonly clientAliveCountMax: number;
  readonly tcpKeepAlive: boolean;
  /** Type of service of interactive and bulk traffic; -1: the system's. */
  readonly ipQos: readonly [number, number];
  readonly logLevel: LogLevel;
  readonly syslogFacility: SyslogFacility;
  /** "none": no file. */
  readonly pidFile: string;
  readonly refuseConnection: boolean;

  // Our own keywords.
  /** JSON events: a path, "stderr" or "none". */
  readonly eventLog: string;
  /** Layers that must hold; empty: the default list. */
  readonly sandboxRequire: readonly LayerName[];
  readonly privsepUser: string;
  readonly warmPairs: number;
  /** Patterns of keywords, lower case, whose lines are skipped where they ask for what is not built. */
  readonly ignoreUnsupported: readonly string[];

  /** Keywords that change nothing here, by lower-case name, as they were given: for -T alone. */
  readonly withoutEffect: Readonly<Record<string, string>>;
}

// prettier-ignore
export const syslogFacilities = [
  "daemon", "user", "auth", "authpriv",
  "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
] as const;
export type SyslogFacility = (typeof syslogFacilities)[number];

/** What holds where no line says otherwise. Where sshd's default needs what is not built yet (passwords, PAM, forwarding), ours is `no`. */
export const defaults: ServerOptions = {
  port: [22],
  listenAddress: [{ address: "" }],
  addressFamily: "any",
  hostKey: [
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/ssh/ssh_host_ecdsa_key",
    "/etc/ssh/ssh_host_ed25519_key",
  ],
  hostKeyAlgorithms: implemented.hostKey.offered,
  kexAlgorithms: implemented.kex.offered,
  ciphers: implemented.cipher.offered,
  macs: implemented.mac.offered,
  pubkeyAcceptedAlgorithms: implemented.pubkey.offered,
  requiredRsaSize: 1024,
  rekeyLimit: { bytes: 0, seconds: 0 },
  versionAddendum: "",
  pubkeyAuthentication: true,
  pubkeyAuthOptions: [],
  authorizedKeysFile: [".ssh/authorized_keys", ".ssh/authorized_keys2"],
  strictModes: true,
  permitRootLogin: "prohibit-password",
  allowUsers: [],
  denyUsers: [],
  allowGroups: [],
  denyGroups: [],
  authenticationMethods: [],
  maxAuthTries: 6,
  maxSessions: 10,
  maxStartups: { begin: 10, rate: 30, full: 100 },
  loginGraceTime: 120,
  acceptEnv: [],
  setEnv: [],
  permitTty: true,
  permitUserEnvironment: "no",
  permitUserRc: true,
  forceCommand: "",
  subsystem: [],
  banner: "",
  printMotd: true,
  clientAliveInterval: 0,
  clientAliveCountMax: 3,
  tcpKeepAlive: true,
  ipQos: [0xb8, 0x00],
  logLevel: "info",
  syslogFacility: "auth",
  pidFile: "/var/run/sshd.pid",
  refuseConnection: false,
  eventLog: "none",
  sandboxRequire: [],
  privsepUser: "sallyport",
  warmPairs: 4,
  ignoreUnsupported: [],
  withoutEffect: {},
};
