// The requests that a client makes of a session channel (RFC 4254 section 6, RFC 4335, OpenSSH PROTOCOL section 2.1), read.
import {
  maxCommandBytes,
  maxEnvironmentNameBytes,
  maxEnvironmentValueBytes,
  maxTerminalModesBytes,
} from "../../ipc/limits.ts";
import type { ProgramKind, TerminalRequest, TerminalSize } from "./program-host.ts";
import type { WireReader } from "./wire.ts";

/** As ipc/worker.ts bounds them. */
const maxTermBytes = 256;
const maxSignalBytes = 32;

/** What it holds is copied. */
export type SessionRequest =
  | { readonly request: "terminal"; readonly terminal: TerminalRequest }
  | { readonly request: "environment"; readonly name: Uint8Array; readonly value: Uint8Array }
  | { readonly request: "start"; readonly kind: ProgramKind; readonly command: Uint8Array }
  | { readonly request: "windowChange"; readonly size: TerminalSize }
  | { readonly request: "signal"; readonly name: Uint8Array }
  | { readonly request: "break"; readonly milliseconds: number }
  /** The client reads no more of what the program writes. */
  | { readonly request: "endOfWrite" }
  /** Unknown, not offered, or beyond a bound of ours: FAILURE is the answer. */
  | { readonly request: "unsupported" };

const unsupported: SessionRequest = { request: "unsupported" };
const nothing = new Uint8Array(0);

function size(reader: WireReader): TerminalSize {
  const columns = reader.uint32();
  const rows = reader.uint32();
  const widthPixels = reader.uint32();
  const heightPixels = reader.uint32();
  return { columns, rows, widthPixels, heightPixels };
}

function start(kind: ProgramKind, reader: WireReader): SessionRequest {
  const command = kind === "shell" ? nothing : reader.string();
  reader.end();
  if (command.length > maxCommandBytes) return unsupported;
  return { request: "start", kind, command: command.slice() };
}

function terminal(reader: WireReader): SessionRequest {
  const term = reader.string();
  const dimensions = size(reader);
  const modes = reader.string();
  reader.end();
  if (term.length > maxTermBytes || modes.length > maxTerminalModesBytes) return unsupported;
  return {
    request: "terminal",
    terminal: { ...dimensions, term: term.slice(), modes: modes.slice() },
  };
}

function environment(reader: WireReader): SessionRequest {
  const name = reader.string();
  const value = reader.string();
  reader.end();
  if (name.length > maxEnvironmentNameBytes || value.length > maxEnvironmentValueBytes)
    return unsupported;
  return { request: "environment", name: name.slice(), value: value.slice() };
}

/** `reader` stands behind want_reply. Throws PeerFault TRUNCATED, TRAILING_BYTES for those that are known. */
export function readSessionRequest(type: string, reader: WireReader): SessionRequest {
  switch (type) {
    case "pty-req":
      return terminal(reader);
    case "env":
      return environment(reader);
    case "shell":
    case "exec":
    case "subsystem":
      return start(type, reader);
    case "window-change": {
      const dimensions = size(reader);
      reader.end();
      return { request: "windowChange", size: dimensions };
    }
    case "signal": {
      const name = reader.string();
      reader.end();
      return name.length > maxSignalBytes ? unsupported : { request: "signal", name: name.slice() };
    }
    case "break": {
      const milliseconds = reader.uint32();
      reader.end();
      return { request: "break", milliseconds };
    }
    case "eow@openssh.com":
      reader.end();
      return { request: "endOfWrite" };
    default:
      return unsupported;
  }
}
