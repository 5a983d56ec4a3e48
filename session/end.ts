// How a connection ended, in the words of the broker's protocol.
import type { EndReason } from "../ipc/monitor.ts";
import type { Ending } from "./monitor-client.ts";
import type { EndReason as TransportEnd } from "./ssh/transport-options.ts";

/** Errors of a stream that say that the peer, or the way to it, is gone. */
const resets = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"]);

export const ending = (reason: EndReason, code = 0, text: Uint8Array | string = ""): Ending => ({
  reason,
  code,
  text: typeof text === "string" ? Buffer.from(text) : text,
});

export function endingOf(end: TransportEnd): Ending {
  switch (end.end) {
    case "closed":
      return ending(end.identified ? "peer-closed" : "idle-before-identification");
    case "peerDisconnect":
      return ending("peer-disconnected", end.reason, end.text);
    case "disconnected":
      return ending("we-disconnected", end.reason, end.description);
    case "failed": {
      const { code } = end.error as NodeJS.ErrnoException; // errors of native/ carry it
      return resets.has(code ?? "")
        ? ending("peer-reset")
        : ending("internal-error", 0, end.error.message);
    }
    case "fault": {
      const { code, disconnectReason, message } = end.fault;
      // "... identifier "LINE"": the broker's line has its own words around it.
      if (code === "BAD_IDENTIFICATION")
        return ending("bad-identification", 0, /"(.*)"$/s.exec(message)?.[1] ?? message);
      if (code === "VERSION_MISMATCH") return ending("version-mismatch", 0, message);
      if (code === "NO_COMMON_ALGORITHM")
        return ending("no-common-algorithm", disconnectReason, message);
      return ending("protocol-fault", disconnectReason, message);
    }
  }
}
