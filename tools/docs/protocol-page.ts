// docs/protocol.md, made from the tables in ipc/ and broker/permits.ts.
import type { AnyField } from "../../ipc/fields.ts";
import * as listener from "../../ipc/listener.ts";
import * as monitor from "../../ipc/monitor.ts";
import type { Protocol } from "../../ipc/protocol.ts";
import * as signer from "../../ipc/signer.ts";
import * as spawner from "../../ipc/spawner.ts";
import * as worker from "../../ipc/worker.ts";
import { maxMessageBytes } from "../../ipc/limits.ts";
import { table } from "./markdown.ts";

function fieldText(field: AnyField): string {
  if (field.kind === "bool") return "bool";
  if (field.kind === "list")
    return `up to ${field.max} of ${field.item === undefined ? "" : fieldText(field.item)}`;
  if (field.kind === "bytes" || field.kind === "text") return `${field.kind} up to ${field.max}`;
  return field.max === 0xff || field.max >= 0xffff_ffff
    ? field.kind
    : `${field.kind} up to ${field.max}`;
}

function section(title: string, protocol: Protocol): string {
  const rows = Object.entries(protocol).map(([name, spec]) => [
    String(spec.type),
    `\`${name}\``,
    Object.entries(spec.fields)
      .map(([field, kind]) => `${field}: ${fieldText(kind)}`)
      .join(", ") || "none",
    String(spec.descriptors),
    spec.meaning,
  ]);
  return [`## ${title}`, table(["type", "message", "fields", "descriptors", "meaning"], rows)].join(
    "\n\n",
  );
}

/** The whole page; `permits` is the section that broker/permits.ts gives. */
export function protocolPage(permits: string): string {
  return (
    [
      "# Messages between processes",
      "<!-- Made by `npm run docs` from ipc/ and broker/permits.ts; a test fails when it is not current. -->",
      "Unix `SOCK_SEQPACKET` sockets, one message a packet: `u8 type | u32 id | fields`, numbers big-endian, bytes and text with a u32 " +
        `length, lists with a u32 count. A packet is at most ${maxMessageBytes} bytes. The bound of a field is checked before anything is ` +
        "allocated, every byte must be consumed, and exactly the number of descriptors named must come with it: anything else ends the " +
        "connection and is one event. An answer carries the id of its request.",
      section("Session process to broker", monitor.requests),
      permits,
      section("Broker to session process", monitor.answers),
      section("Broker to signer", signer.signatureRequests),
      section("Signer to broker", signer.signatureAnswers),
      section("Listener to spawner", spawner.spawnerOrders),
      section("Spawner to listener, in answer", spawner.spawnerAnswers),
      section("Spawner to listener", spawner.spawnerReports),
      section("Listener to signer", signer.signerOrders),
      section("Signer to listener", signer.signerReports),
      section("Listener to broker", listener.brokerOrders),
      section("Broker to listener", listener.brokerReports),
      section("Listener to zygote", listener.zygoteOrders),
      section("Zygote to listener", listener.zygoteReports),
      section("Listener to login", listener.loginOrders),
      section("Session process to worker", worker.workerRequests),
      section("Worker to session process", worker.workerAnswers),
    ].join("\n\n") + "\n"
  );
}
