// Rows of test/hostile/broker-attacks.test.ts: frames that are none, and the time before a key exchange. What a taken session process says, and why the broker ends it. The
// numbers are those of the attacks on monitors that they repeat (OpenSSH's history).
import { maxMessageBytes } from "../../ipc/limits.ts";
import { requests } from "../../ipc/monitor.ts";
import { LabKey } from "../../lab/lab-key.ts";
import { exchangeParts, type AttackRow } from "../support/taken-session.ts";

/** Authorized with `restrict` and a command of its own. */
export const restricted = new LabKey("restricted");
export const violation = { code: "monitor.violation", end: "violation" } as const;
/** By the filter of the session process, before the broker sees anything. */
export const stopped = { code: "sandbox.violation", end: "violation" } as const;
export const bySigsys = /was stopped by its filter/;
export const notPermitted = (request: string, phase: string): RegExp =>
  new RegExp(`broke the protocol: Cannot answer ${request}: not permitted in phase ${phase}`);
export const empty = new Uint8Array();
export const header = (type: number, ...rest: readonly number[]): Uint8Array =>
  Uint8Array.of(type, 0, 0, 0, 1, ...rest);

export const beforeKex: readonly AttackRow[] = [
  {
    name: "F3 a signature before the connection is handed over",
    act: ({ client }) => {
      client.send("sign", exchangeParts);
    },
    ...violation,
    text: notPermitted("sign", "handover"),
  },
  {
    name: "F3 it says twice that it is confined",
    act: ({ client }) => {
      client.send("confined", { missing: [] });
    },
    ...violation,
    text: notPermitted("confined", "handover"),
  },
  {
    name: "F8 a descriptor beside a message, which its filter does not even let it send",
    act: ({ client }) => {
      client.send("adopted", {}, 1);
    },
    ...stopped,
    text: bySigsys,
  },
  {
    name: "F8 eight descriptors at once",
    act: ({ client }) => {
      client.send("adopted", {}, 8);
    },
    ...stopped,
    text: bySigsys,
  },
  {
    name: "F8 one byte",
    act: ({ client }) => {
      client.raw(Uint8Array.of(requests.adopted.type));
    },
    ...violation,
    text: /4 bytes wanted, 0 left/,
  },
  {
    name: "F8 a message longer than the longest",
    act: ({ client }) => {
      client.raw(new Uint8Array(maxMessageBytes + 100));
    },
    ...violation,
    text: /longer than its limit/,
  },
  {
    name: "F8 a type that nobody knows",
    act: ({ client }) => {
      client.raw(header(200));
    },
    ...violation,
    text: /type 200 is not in the protocol/,
  },
  {
    name: "F8 a byte too many",
    act: ({ client }) => {
      client.raw(header(requests.adopted.type, 0));
    },
    ...violation,
    text: /1 bytes after its end/,
  },
  {
    name: "F8 a length of 2^32-1",
    act: async (attack) => {
      await attack.lookup();
      attack.client.raw(header(requests.lookupUser.type, 0xff, 0xff, 0xff, 0xff));
    },
    ...violation,
    text: /4294967295 bytes, limit is 1024/,
  },
];
