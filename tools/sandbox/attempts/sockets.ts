// Sockets of every family that could lead out.
import { Refused, call } from "../raw-calls.ts";
import { errno, type Attempt, type Targets } from "../attempt.ts";
import { readSecret } from "./files.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const AF_ALG = 38;
const AF_VSOCK = 40;
const STREAM = 1;
const DATAGRAM = 2;
const RAW = 3;
const IPPROTO_MPTCP = 262;

/** struct sockaddr_in of 127.0.0.1. */
const loopback = (port: number): Uint8Array =>
  Uint8Array.of(AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
const unixAddress = (path: string): Uint8Array =>
  Uint8Array.of(AF_UNIX, 0, ...Buffer.from(path, "latin1"));
const socket = (domain: number, type: number, protocol = 0): bigint =>
  call("socket", domain, type, protocol);
const attempt = (name: string, what: string, run: (targets: Targets) => void): Attempt => ({
  name,
  family: "sockets",
  what,
  run,
});

export const sockets: readonly Attempt[] = [
  attempt("tcp-connect", "connects to a listener on 127.0.0.1", ({ port }) => {
    call("connect", socket(AF_INET, STREAM), loopback(port), 16);
  }),
  attempt("tcp-listen", "listens on a port", () => {
    const fd = socket(AF_INET, STREAM);
    call("bind", fd, loopback(0), 16);
    call("listen", fd, 1);
  }),
  attempt("udp-send", "sends a datagram to 127.0.0.1", ({ port }) => {
    call("sendto", socket(AF_INET, DATAGRAM), "x", 1, 0, loopback(port), 16);
  }),
  attempt(
    "udp-connect",
    "the same by connect and write, which no check of TCP sees",
    ({ port }) => {
      const fd = socket(AF_INET, DATAGRAM);
      call("connect", fd, loopback(port), 16);
      call("write", fd, "x", 1);
    },
  ),
  attempt("mptcp-connect", "connects by multipath TCP, which Landlock does not see", ({ port }) => {
    call("connect", socket(AF_INET, STREAM, IPPROTO_MPTCP), loopback(port), 16);
  }),
  attempt("inet6", "makes an IPv6 socket", () => {
    socket(AF_INET6, STREAM);
  }),
  attempt("raw", "makes a raw socket", () => {
    socket(AF_INET, RAW, 1);
  }),
  attempt("packet", "makes a packet socket, which sees every frame", () => {
    socket(AF_PACKET, RAW, 0x0300);
  }),
  attempt("netlink", "asks the kernel for its routes", () => {
    socket(AF_NETLINK, RAW, 0);
  }),
  attempt("vsock", "makes a socket to the hypervisor", () => {
    socket(AF_VSOCK, STREAM);
  }),
  attempt("alg", "makes a socket to the kernel's ciphers", () => {
    socket(AF_ALG, 5);
  }),
  attempt("unix-abstract", "connects to an abstract address", ({ abstractName }) => {
    const address = unixAddress(abstractName);
    call("connect", socket(AF_UNIX, STREAM), address, address.length);
  }),
  attempt("unix-path", "connects to a socket's path", ({ folder }) => {
    const address = unixAddress(`${folder}/socket\0`);
    call("connect", socket(AF_UNIX, STREAM), address, address.length);
  }),
  attempt("socketpair", "makes a pair of sockets", () => {
    call("socketpair", AF_UNIX, STREAM, 0, new Uint8Array(8));
  }),
  {
    name: "received-descriptor",
    family: "sockets",
    what: "takes a descriptor that was sent to it before authentication",
    isSentDescriptor: true,
    run: (_targets, [fd]) => {
      if (fd === undefined) throw new Refused(errno.EMFILE, "recvmsg");
      readSecret(BigInt(fd));
    },
  },
];
