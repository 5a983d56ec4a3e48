// Messages between processes: what decodes must encode to the same bytes again, and nothing but a PeerFault may be thrown.
import * as listener from "../../ipc/listener.ts";
import * as monitor from "../../ipc/monitor.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";
import { decode, encode, type Protocol } from "../../ipc/protocol.ts";
import * as signer from "../../ipc/signer.ts";
import * as worker from "../../ipc/worker.ts";

const protocols: readonly Protocol[] = [
  monitor.requests,
  monitor.answers,
  listener.brokerOrders,
  listener.brokerReports,
  listener.zygoteOrders,
  listener.zygoteReports,
  listener.loginOrders,
  signer.signerOrders,
  signer.signerReports,
  signer.signatureRequests,
  signer.signatureAnswers,
  worker.workerRequests,
  worker.workerAnswers,
];

/** The first byte chooses the protocol, the second how many descriptors came with the message. */
export function fuzz(data: Uint8Array): void {
  const protocol = protocols[(data[0] ?? 0) % protocols.length];
  const bytes = data.subarray(2);
  if (protocol === undefined) return;
  try {
    const { name, id, body } = decode(protocol, bytes, (data[1] ?? 0) % 4);
    const again = encode(protocol, name, id, body);
    // Text with a byte order mark or a lone surrogate must not change either.
    if (!Buffer.from(again).equals(bytes)) throw new Error(`${name} does not encode to what it was decoded from`); // prettier-ignore
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
  }
}
