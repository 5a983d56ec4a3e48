// The last lines of a connection, in sshd's words, from the reason that the session process gives and from what the broker knows itself.
import { endReasons, type Request } from "../ipc/monitor.ts";
import type { LogEvent } from "./world.ts";

export interface EndFacts {
  /** "ADDRESS port PORT". */
  readonly peer: string;
  /** "authenticating user U ", "invalid user U ", "user U " or "". */
  readonly who: string;
  readonly isPreauth: boolean;
}
type Ended = Extract<Request, { name: "ended" }>["body"];

/** One event, or two where sshd writes two lines. The text of a peer is data in them. */
export function endEvents(body: Ended, { peer, who, isPreauth }: EndFacts): LogEvent[] {
  const reason = endReasons[body.reason] ?? "internal-error";
  const text = Buffer.from(body.text).toString("latin1");
  const event = (level: LogEvent["level"], line: string, code: string = reason): LogEvent => ({
    level,
    code: `connection.${code}`,
    text: line,
    preauth: isPreauth,
    fields: {
      reason,
      disconnectReason: body.code,
      bytesReceived: body.bytesReceived,
      bytesSent: body.bytesSent,
    },
  });
  switch (reason) {
    case "peer-closed":
      if (isPreauth) return [event("info", `Connection closed by ${who}${peer}`)];
      // The end of sshd's main loop; it names the user only where it throws.
      return [
        event("verbose", `Connection closed by ${peer}`),
        event(
          "verbose",
          `Transferred: sent ${body.bytesSent}, received ${body.bytesReceived} bytes`,
          "transferred",
        ),
        event("verbose", `Closing connection to ${peer}`, "closing"),
      ];
    case "idle-before-identification":
      return [
        event(
          "error",
          "kex_exchange_identification: Connection closed by remote host",
          "no-identification",
        ),
        event("info", `Connection closed by ${who}${peer}`),
      ];
    case "peer-reset":
      return [event("info", `Connection reset by ${who}${peer}`)];
    case "peer-disconnected":
      return [
        // packet.c: 11, by application, is how an honest client goes.
        event(
          body.code === 11 ? "info" : "error",
          `Received disconnect from ${peer}:${body.code}: ${text}`,
        ),
        event("info", `Disconnected from ${who}${peer}`, "disconnected"),
      ];
    case "we-disconnected":
      return [event("info", `Disconnecting ${who}${peer}: ${text}`)];
    case "bad-identification":
      return [
        event(
          "verbose",
          `kex_exchange_identification: client sent invalid protocol identifier "${text}"`,
        ),
        event("info", `banner exchange: Connection from ${peer}: invalid format`, "invalid-format"),
      ];
    case "version-mismatch":
      return [
        event("error", `Protocol major versions differ: 2 vs. 1`),
        event(
          "info",
          `banner exchange: Connection from ${peer}: could not read protocol version`,
          "invalid-version",
        ),
      ];
    case "no-common-algorithm":
      return [event("info", `Unable to negotiate with ${peer}: ${text}`)];
    case "protocol-fault":
      return [event("info", `ssh_dispatch_run_fatal: Connection from ${who}${peer}: ${text}`)];
    case "client-not-responding":
      return [event("info", `Timeout, client not responding from ${who}${peer}`)];
    case "stopped":
      return [event("info", `Connection with ${who}${peer} ended by the server: ${text}`)];
    case "internal-error":
      return [event("error", `session process failed: ${text}`)];
  }
}
