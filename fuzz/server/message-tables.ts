// Every message that the server reads, whole, with what its empty and superfluous fields lead to: `spoil()` makes the rest of them.
import { fixed, text, uint32, type Message, type Outcome } from "./fields.ts";

/** Where a connection must be for a message to be welcome. */
export type Place = "identified" | "offered" | "agreed" | "keyed" | "asked" | "authenticated" | "opened"; // prettier-ignore
export const cipher = "aes128-ctr";
export const mac = "hmac-sha2-256";

const failure: Outcome = [51];
const blob = Buffer.concat([Buffer.of(0, 0, 0, 11), Buffer.from("ssh-ed25519"), Buffer.of(0, 0, 0, 32), Buffer.alloc(32, 9)]); // prettier-ignore
const key25519 = text(blob, failure);
const request = (method: string, ...more: Message["fields"]): Message["fields"] => [
  fixed(50),
  text("alice", failure),
  text("ssh-connection"),
  text(method, failure),
  ...more,
];
const algorithm = text("ssh-ed25519", failure);
const signature = text(Buffer.concat([Buffer.of(0, 0, 0, 11), Buffer.from("ssh-ed25519"), Buffer.of(0, 0, 0, 64), Buffer.alloc(64)]), failure); // prettier-ignore
const names = (name: string): Message["fields"][number] => text(name);
const bound = (): Message["fields"] => [
  fixed(1),
  text("ssh-ed25519"),
  text(blob),
  text("not our host key"),
  text(Buffer.alloc(83)),
];
export const early: readonly (readonly [place: Place, messages: readonly Message[]])[] = [
  ["identified", [{
    name: "KEXINIT",
    fields: [
      fixed(20, ...new Uint8Array(16)), names("curve25519-sha256"), names("ssh-ed25519"), names(cipher), names(cipher),
      names(mac), names(mac), names("none"), names("none"), text(""), text(""), fixed(0), uint32(0),
    ],
  }]],
  ["offered", [{ name: "KEX_INIT", fields: [fixed(30), text(new Uint8Array(32).fill(9))] }]],
  ["agreed", [{ name: "NEWKEYS", fields: [fixed(21)] }]],
  ["keyed", [
    { name: "SERVICE_REQUEST", fields: [fixed(5), text("ssh-userauth")] },
    { name: "EXT_INFO", fields: [fixed(7), uint32(1), text("name", []), text("value", [])] },
    { name: "IGNORE", fields: [fixed(2), text("data", [])] },
    { name: "DEBUG", fields: [fixed(4), fixed(1), text("text", []), text("en", [])] },
    { name: "UNIMPLEMENTED", fields: [fixed(3), uint32(0)] },
    { name: "PING", fields: [fixed(192), text("ping", [])] },
  ]],
  ["asked", [
    { name: "USERAUTH_REQUEST none", fields: request("none") },
    { name: "USERAUTH_REQUEST publickey, a query", fields: request("publickey", fixed(0), algorithm, key25519) },
    { name: "USERAUTH_REQUEST publickey, signed", fields: request("publickey", fixed(1), algorithm, key25519, signature) },
    { name: "USERAUTH_REQUEST publickey-hostbound", fields: [fixed(50), text("alice"), text("ssh-connection"), text("publickey-hostbound-v00@openssh.com", failure), ...bound()] },
  ]],
]; // prettier-ignore

const channel0 = (type: number): Message["fields"][number] => fixed(type, 0, 0, 0, 0);
const channelRequest = (
  type: string,
  wantReply: number,
  ...more: Message["fields"]
): Message["fields"] => [
  // prettier-ignore
  channel0(98),
  text(type, wantReply === 1 ? [100] : []),
  fixed(wantReply),
  ...more,
];
const size = [uint32(80), uint32(24), uint32(0), uint32(0)];
/** From authentication on; "opened": session channel 0 is open. */
export const late: typeof early = [
  ["authenticated", [
    { name: "GLOBAL_REQUEST of an unknown name", fields: [fixed(80), text("unknown", [82]), fixed(1)], whenLonger: [82] },
    { name: "GLOBAL_REQUEST no-more-sessions", fields: [fixed(80), text("no-more-sessions@openssh.com", [82]), fixed(1)] },
    { name: "GLOBAL_REQUEST hostkeys-prove", fields: [fixed(80), text("hostkeys-prove-00@openssh.com", [82]), fixed(1), text("blob", [82])], whenLonger: [82] },
    { name: "CHANNEL_OPEN", fields: [fixed(90), text("session", [92]), uint32(7), uint32(1 << 20), uint32(1 << 15)] },
    { name: "PING after authentication", fields: [fixed(192), text("ping", [193])] },
    { name: "IGNORE after authentication", fields: [fixed(2), text("data", [])] },
  ]],
  ["opened", [
    { name: "CHANNEL_WINDOW_ADJUST", fields: [channel0(93), uint32(1)] },
    { name: "CHANNEL_DATA", fields: [channel0(94), text("data", [])] },
    { name: "CHANNEL_EXTENDED_DATA", fields: [channel0(95), uint32(1), text("data", [])] },
    { name: "CHANNEL_EOF", fields: [channel0(96)] },
    { name: "CHANNEL_CLOSE", fields: [channel0(97)] },
    { name: "CHANNEL_SUCCESS", fields: [channel0(99)] },
    { name: "CHANNEL_REQUEST pty-req", fields: channelRequest("pty-req", 1, text("xterm", [99]), ...size, text(Buffer.of(53, 0, 0, 0, 1, 0), [99])) },
    { name: "CHANNEL_REQUEST env", fields: channelRequest("env", 1, text("NAME", [100]), text("value", [100])) },
    { name: "CHANNEL_REQUEST exec", fields: channelRequest("exec", 1, text("true", [99])) },
    { name: "CHANNEL_REQUEST subsystem", fields: channelRequest("subsystem", 1, text("sftp", [100])) },
    { name: "CHANNEL_REQUEST shell", fields: channelRequest("shell", 1) },
    { name: "CHANNEL_REQUEST signal", fields: channelRequest("signal", 0, text("TERM", [])) },
    { name: "CHANNEL_REQUEST window-change", fields: channelRequest("window-change", 0, ...size) },
    { name: "CHANNEL_REQUEST break", fields: channelRequest("break", 1, uint32(100)) },
    { name: "CHANNEL_REQUEST eow", fields: channelRequest("eow@openssh.com", 0) },
    { name: "CHANNEL_REQUEST of an unknown type", fields: channelRequest("unknown", 1), whenLonger: [100] },
  ]],
]; // prettier-ignore
