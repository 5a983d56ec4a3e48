// What the judge reads in a message, read once: a fuzzer sends the same bytes again and again.
import { requests, type Request } from "../ipc/monitor.ts";
import { PeerFault } from "../ipc/peer-fault.ts";
import { decode } from "../ipc/protocol.ts";

export type Read =
  | { readonly request: Request }
  | { readonly fault: "descriptors" | "framing"; readonly text: string };

function read(bytes: Uint8Array, descriptors: number): Read {
  try {
    return { request: decode(requests, bytes, descriptors) };
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
    return { fault: error.code === "DESCRIPTORS" ? "descriptors" : "framing", text: error.message };
  }
}

const known = new WeakMap<Uint8Array, Read>();
/** `bytes` must never change afterwards: what they said is remembered. */
export function readRequest(bytes: Uint8Array, descriptors: number): Read {
  if (descriptors > 0) return read(bytes, descriptors);
  const before = known.get(bytes);
  if (before !== undefined) return before;
  const now = read(bytes, 0);
  known.set(bytes, now);
  return now;
}
