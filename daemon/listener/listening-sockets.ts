// The sockets that the configuration wants, opened, and told apart from those that are open already.
import type { ServerOptions } from "../../config/options.ts";
import { closeFd } from "../../native/descriptors.ts";
import { listenTcp } from "../../native/sockets.ts";
import type { EventSink } from "../events.ts";

/** sshd's SSH_LISTEN_BACKLOG. */
const backlog = 128;

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}
export interface ListeningSocket extends Endpoint {
  readonly fd: number;
}

/** Every address and port that the configuration names, in its order, each once. */
export function wantedEndpoints(options: ServerOptions): Endpoint[] {
  const anyAddress = { any: ["0.0.0.0", "::"], inet: ["0.0.0.0"], inet6: ["::"] } as const;
  const wanted = options.listenAddress.flatMap(({ address, port }) => {
    const addresses = address === "" ? anyAddress[options.addressFamily] : [address];
    const isAllowed = (one: string): boolean =>
      options.addressFamily === "any" || (options.addressFamily === "inet6") === one.includes(":");
    const ports = port === undefined ? options.port : [port];
    return ports.flatMap((each) =>
      addresses.filter(isAllowed).map((one) => ({ address: one, port: each })),
    );
  });
  const seen = new Set<string>();
  return wanted.filter(({ address, port }) => {
    const key = `${address} ${port}`;
    // Port 0 is a different one each time.
    return port === 0 || (!seen.has(key) && seen.add(key));
  });
}

/** A kernel without IPv6 is no fault of the configuration when nobody asked for it by name. */
const isNoSuchFamily = (code: string | undefined): boolean =>
  code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL";
const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "Address already in use",
  EACCES: "Permission denied",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EAFNOSUPPORT: "Address family not supported by protocol",
};

/** Opens one, or says why not, as sshd does, and gives undefined. The caller owns the descriptor. */
function open(wanted: Endpoint, events: EventSink): ListeningSocket | undefined {
  try {
    const { fd, port } = listenTcp(wanted.address, wanted.port, backlog);
    return { address: wanted.address, port, fd };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // native/ sets it
    const level = wanted.address === "::" && isNoSuchFamily(code) ? "debug1" : "error";
    const why = reasons[code ?? ""] ?? String(code);
    events.event(
      level,
      "listen.failed",
      `Bind to port ${wanted.port} on ${wanted.address} failed: ${why}.`,
    );
    return undefined;
  }
}

/**
 * Opens what is wanted, keeping of `existing` what is wanted still and closing the rest. Each new one is told ("Server listening on").
 * Empty when none could be had.
 */
export function openListeningSockets(
  options: ServerOptions,
  existing: readonly ListeningSocket[],
  events: EventSink,
): ListeningSocket[] {
  const wanted = wantedEndpoints(options);
  const isSame = (one: Endpoint, other: Endpoint): boolean =>
    one.address === other.address && one.port === other.port;
  for (const socket of existing)
    if (!wanted.some((endpoint) => isSame(endpoint, socket))) closeFd(socket.fd);
  return wanted.flatMap((endpoint) => {
    const socket = existing.find((open) => isSame(open, endpoint)) ?? open(endpoint, events);
    if (socket === undefined) return [];
    const { address, port } = socket;
    events.event("info", "listening", `Server listening on ${address} port ${port}.`, {
      fields: { address, port },
    });
    return [socket];
  });
}
