// The options of the server, typed, with their defaults. Names are sshd_config's in camel case.
import { implemented } from "./algorithms.ts";
import type { ListenAddress, RekeyLimit, StartupLimits } from "./values.ts";

export interface Subsystem {
  readonly name: string;
  /** A command line for the user's shell. */
  readonly command: string;
}

export interface ServerOptions {
  port: number[];
  listenAddress: ListenAddress[];
  addressFamily: "any" | "inet" | "inet6";
  hostKey: string[];
  hostKeyAlgorithms: string[];
  kexAlgorithms: string[];
  ciphers: string[];
  macs: string[];
  pubkeyAcceptedAlgorithms: string[];
  /** Bits. */
  requiredRsaSize: number;
  rekeyLimit: RekeyLimit;
  versionAddendum: string;
  pubkeyAuthentication: boolean;
  pubkeyAuthOptions: string[];
  authorizedKeysFile: string[];
  strictModes: boolean;
  permitRootLogin: "yes" | "no" | "prohibit-password" | "forced-commands-only";
  allowUsers: string[];
  denyUsers: string[];
  allowGroups: string[];
  denyGroups: string[];
  /** Lists of methods, each list in order; empty: any one method. */
  authenticationMethods: string[][];
  maxAuthTries: number;
  maxSessions: number;
  maxStartups: StartupLimits;
  /** Seconds; 0: none. */
  loginGraceTime: number;
  acceptEnv: string[];
  /** NAME=value. */
  setEnv: string[];
  permitTty: boolean;
  /** "yes", "no", or the patterns of names that are taken. */
  permitUserEnvironment: string;
  /** "" : none. */
  forceCommand: string;
  subsystem: Subsystem[];
  /** Path; "" : none. */
  banner: string;
  printMotd: boolean;
  /** Seconds; 0: never. */
  clientAliveInterval: number;
  clientAliveCountMax: number;
  tcpKeepAlive: boolean;
  /** Type of service of interactive and bulk traffic; -1: the system's. */
  ipQos: [number, number];
  logLevel: string;
  syslogFacility: string;
  /** "none": no file. */
  pidFile: string;
  refuseConnection: boolean;

  // Our own keywords.
  /** JSON events: a path, "stderr" or "none". */
  eventLog: string;
  /** Names of layers that must hold; empty: the default list. */
  sandboxRequire: string[];
  privsepUser: string;
  warmPairs: number;
}

/** What holds where no line says otherwise. Where sshd's default needs what is not built yet (passwords, PAM, forwarding), ours is `no`. */
export const defaults: Readonly<ServerOptions> = {
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
};
