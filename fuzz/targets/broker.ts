// A whole conversation with the broker (fuzz/sequence.ts, sequenceFromBytes), watched by the judge.
import { Monitor } from "../../broker/monitor.ts";
import { decode } from "../../ipc/protocol.ts";
import { execute } from "../execute.ts";
import { sequenceFromBytes } from "../sequence.ts";

/** Entry point in the form of jazzer.js. Throws when the broker breaks a rule. */
export function fuzz(data: Uint8Array): void {
  const { finding } = execute({ Monitor, decode }, sequenceFromBytes(data));
  if (finding !== null) throw new Error(`${finding.oracle}: ${finding.text}`);
}
