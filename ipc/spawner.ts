// The spawner: the one process that starts programs for a listener that has given that up (docs/decisions/0012).
import { bool, text, u32 } from "./fields.ts";
import * as limits from "./limits.ts";
import { protocol } from "./protocol.ts";

/** Listener -> spawner. What is started, with which flags and from which file, is not the listener's to say. */
export const spawnerOrders = protocol({
  zygote: {
    type: 1,
    descriptors: 2,
    meaning: "Start a zygote: its control socket, the configuration in a memory file",
    fields: {},
  },
  signer: { type: 2, descriptors: 1, meaning: "Start a signer: its control socket", fields: {} },
});
/** Spawner -> listener, in answer, on the same socket. */
export const spawnerAnswers = protocol({
  started: { type: 64, descriptors: 0, meaning: "It runs", fields: { pid: u32() } },
  failed: {
    type: 65,
    descriptors: 0,
    meaning: "It could not be started",
    fields: { why: text(limits.maxLogTextBytes) },
  },
});
/** Spawner -> listener, on a socket of their own. */
export const spawnerReports = protocol({
  ended: {
    type: 128,
    descriptors: 0,
    meaning: "Something that was started has ended, and is reaped",
    fields: { pid: u32(), status: u32(), bySignal: bool },
  },
});
