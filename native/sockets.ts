// Unix sockets that keep messages whole and carry descriptors, and the listening TCP sockets.
import { addon } from "./addon.ts";

export interface Received {
  /** Bytes of the message, 0 when the other side has closed. */
  length: number;
  /** Descriptors that came with it, close-on-exec, the caller's to close. */
  fds: number[];
  /** The message was longer than the buffer, or descriptors did not fit (MSG_TRUNC, MSG_CTRUNC). */
  truncated: boolean;
}
export interface PeerCredentials {
  pid: number;
  uid: number;
  gid: number;
}
export interface Accepted {
  fd: number;
  address: string;
  port: number;
  localAddress: string;
  localPort: number;
}

const raw = addon as unknown as {
  seqpacketPair: () => [number, number];
  sendMessage: (
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    fds: number[],
  ) => boolean;
  receiveMessage: (fd: number, buffer: Uint8Array) => Received | null;
  peerCredentials: (fd: number) => PeerCredentials;
  listenTcp: (address: string, port: number, backlog: number) => { fd: number; port: number };
  accept: (fd: number) => Accepted | null;
  socketAddresses: (fd: number) => Omit<Accepted, "fd"> | null;
  connectDatagram: (path: string) => number;
  setNoDelay: (fd: number) => void;
  setKeepAlive: (fd: number) => void;
  setReceiveBuffer: (fd: number, bytes: number) => void;
  setSendBuffer: (fd: number, bytes: number) => void;
  setTypeOfService: (fd: number, value: number) => void;
};

/** `socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK)`. */
export const seqpacketPair = raw.seqpacketPair;
/** One message, with up to 8 descriptors (which stay the caller's). False: would block. Throws EPIPE when nobody is there. */
export const sendMessage = raw.sendMessage;
/** One message into `buffer`; null: would block. A close and a reset by the peer both give `length` 0, after all that it had sent. */
export const receiveMessage = raw.receiveMessage;
/** `SO_PEERCRED`: who made the other end (for a socketpair: who made the pair). */
export const peerCredentials = raw.peerCredentials;
/** Numeric IPv4 or IPv6 address; IPV6_V6ONLY and SO_REUSEADDR set; port 0 picks one; non-blocking; the caller owns `fd`. */
export const listenTcp = raw.listenTcp;
/** `accept4`, non-blocking and close-on-exec; null: would block or the connection was aborted before it was taken. EMFILE and
 * its like throw. IPv4-mapped addresses are given as IPv4. */
export const accept = raw.accept;
/** Both ends' addresses of a connected TCP socket; null when it is no inet socket (`-i` on a pipe). */
export const socketAddresses = raw.socketAddresses;
/** A connected AF_UNIX datagram socket (syslog's `/dev/log`), non-blocking. */
export const connectDatagram = raw.connectDatagram;
export const setNoDelay = raw.setNoDelay;
export const setKeepAlive = raw.setKeepAlive;
export const setReceiveBuffer = raw.setReceiveBuffer;
export const setSendBuffer = raw.setSendBuffer;
export const setTypeOfService = raw.setTypeOfService;
