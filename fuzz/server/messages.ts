// What a client can say, as honest as it gets: the tables that the tests have, with what is known only on a living connection, and what only a
// server says. The fuzzer spoils them afterwards.
import { implemented } from "../../config/algorithms.ts";
import type { Dice } from "../../lab/player.ts";
import { fixed, live, text, uint32, type Field, type LiveName } from "./fields.ts";
import { early, late } from "./message-tables.ts";
import { message, type Step } from "./sequence.ts";

const none = fixed(0);
const yes = fixed(1);
const service = text("ssh-connection");
const ed25519 = text("ssh-ed25519");
const strict = "kex-strict-c-v00@openssh.com";

/** Lists that lead somewhere; `isFirst`: with the markers of a first KEXINIT. */
export function kexInit(dice: Dice, isFirst: boolean): Step {
  const one = (names: readonly string[]): Field => text(dice.pick(names));
  const cipher = one(implemented.cipher.offered);
  const mac = one(implemented.mac.offered);
  const markers = isFirst ? [...(dice.percent(50) ? ["ext-info-c"] : []), ...(dice.percent(60) ? [strict] : [])] : []; // prettier-ignore
  // The larger methods cost the most on both sides.
  const method = dice.percent(70) ? "curve25519-sha256" : dice.pick(implemented.kex.offered);
  return message(
    "KEXINIT",
    20,
    { bytes: Uint8Array.from({ length: 16 }, () => dice.roll(256)) },
    text([method, ...markers].join(",")),
    text("ssh-ed25519"),
    cipher,
    cipher,
    mac,
    mac,
    text("none"),
    text("none"),
    text(""),
    text(""),
    dice.percent(4) ? yes : none,
    uint32(0),
  );
}
export const kexReply: readonly Step[] = [
  message("KEX_INIT", 30, live("public")),
  message("NEWKEYS", 21),
];
export const serviceRequest = message("SERVICE_REQUEST", 5, text("ssh-userauth"));

const userauth = (user: Field, method: string, ...fields: readonly Field[]): Step =>
  message(`USERAUTH_REQUEST ${method}`, 50, user, service, text(method), ...fields);
const publicKey = (
  user: Field,
  key: LiveName,
  signature: LiveName | null,
  isBound: boolean,
): Step =>
  userauth(
    user,
    isBound ? "publickey-hostbound-v00@openssh.com" : "publickey",
    signature === null ? none : yes,
    ed25519,
    live(key),
    ...(isBound ? [live("host key")] : []),
    ...(signature === null ? [] : [live(signature)]),
  );
export const login = (isBound: boolean): Step =>
  publicKey(live("user"), "own key", "own signature", isBound);

/** An attempt that fails. */
export function failing(dice: Dice, user: Field = live("user")): Step {
  return dice.pick<() => Step>([
    () => userauth(user, "none"),
    () => userauth(user, "password", none, live("password")),
    () => userauth(user, "password", yes, live("password"), live("password")),
    () => userauth(user, "keyboard-interactive", text(""), text("")),
    () => userauth(user, "hostbased", ed25519, live("own key"), text("localhost"), text("root"), live("own signature")), // prettier-ignore
    () => publicKey(user, "strange key", null, dice.percent(50)),
    () => publicKey(user, "own key", null, dice.percent(50)),
    () => publicKey(user, "strange key", "strange signature", dice.percent(50)),
    () => publicKey(user, "own key", "strange signature", dice.percent(50)),
  ])();
}

/** Of others than who may log in. */
export const users: readonly Field[] = [text("root"), text("nobody-is-called-so"), text("")];

/** What only a server sends, and what nobody does. */
const foreign: readonly Step[] = [
  message("DISCONNECT", 1, uint32(11), text("bye"), text("")),
  message("SERVICE_ACCEPT", 6, text("ssh-userauth")),
  message("8", 8),
  message("KEX_REPLY", 31, live("host key"), live("public"), live("own signature")),
  message("GEX_REQUEST", 34, uint32(2048), uint32(3072), uint32(8192)),
  message("USERAUTH_FAILURE", 51, text("publickey"), none),
  message("USERAUTH_SUCCESS", 52),
  message("USERAUTH_BANNER", 53, text("hello"), text("")),
  message("USERAUTH_PK_OK", 60, ed25519, live("own key")),
  message("USERAUTH_INFO_RESPONSE", 61, uint32(1), live("password")),
  message("REQUEST_SUCCESS", 81),
  message("REQUEST_FAILURE", 82),
  message("CHANNEL_OPEN direct-tcpip", 90, text("direct-tcpip"), uint32(1), uint32(1 << 21), uint32(1 << 15), text("127.0.0.1"), uint32(22), text("127.0.0.1"), uint32(1)), // prettier-ignore
  message("CHANNEL_OPEN x11", 90, text("x11"), uint32(1), uint32(1 << 21), uint32(1 << 15), text("127.0.0.1"), uint32(1)), // prettier-ignore
  message("CHANNEL_OPEN_CONFIRMATION", 91, uint32(0), uint32(0), uint32(1 << 21), uint32(1 << 15)),
  message("CHANNEL_OPEN_FAILURE", 92, uint32(0), uint32(1), text("no"), text("")),
  message("CHANNEL_FAILURE", 100, uint32(0)),
  message("PONG", 193, text("x")),
  message("255", 255),
  message("GLOBAL_REQUEST hostkeys-prove", 80, text("hostkeys-prove-00@openssh.com"), yes, live("host key")), // prettier-ignore
  message("GLOBAL_REQUEST tcpip-forward", 80, text("tcpip-forward"), yes, text("127.0.0.1"), uint32(0)), // prettier-ignore
  message("GLOBAL_REQUEST keepalive", 80, text("keepalive@openssh.com"), yes),
  message("CHANNEL_REQUEST auth-agent", 98, uint32(0), text("auth-agent-req@openssh.com"), yes),
  message("CHANNEL_REQUEST x11-req", 98, uint32(0), text("x11-req"), yes, none, text("MIT-MAGIC-COOKIE-1"), text("00"), uint32(0)), // prettier-ignore
];
const tabled = (tables: typeof early): Step[] =>
  tables.flatMap(([, messages]) =>
    messages.map(({ name, fields }): Step => ({ kind: "send", name, fields })),
  );
const earlyMessages = tabled(early);
const lateMessages = tabled(late);
export const channelOpen = message("CHANNEL_OPEN", 90, text("session"), uint32(7), uint32(1 << 20), uint32(1 << 15)); // prettier-ignore
export const disconnect = message("DISCONNECT", 1, uint32(11), text("bye"), text(""));

/** Any message, whole: for any place. */
export function anyMessage(dice: Dice): Step {
  return dice.pick<() => Step>([
    () => dice.pick(earlyMessages),
    () => dice.pick(lateMessages),
    () => dice.pick(foreign),
    () => kexInit(dice, dice.percent(50)),
    () => dice.pick(kexReply),
    () => failing(dice, dice.percent(70) ? live("user") : dice.pick(users)),
    () => login(dice.percent(50)),
  ])();
}
/** What may be said on a connection that is logged in, with channel 0 open. */
export const lateMessage = (dice: Dice): Step => dice.pick(lateMessages);

/** Numbers of every message that can be made here, each once. */
export const knownNumbers: readonly number[] = [
  ...new Set([...earlyMessages, ...lateMessages, ...foreign].flatMap((step) => (step.kind === "send" && step.fields[0] !== undefined && "bytes" in step.fields[0] ? [step.fields[0].bytes[0] ?? 0] : []))), // prettier-ignore
].sort((one, other) => one - other);
