// The identification line (RFC 4253 section 4.2): the first bytes of a peer, read before anything else is believed.
import { maxVersionBytes } from "../../ipc/limits.ts";
import { disconnectReasons, PeerFault, quote } from "../../ipc/peer-fault.ts";

/** RFC 4253 section 4.2: 255 characters with CR LF. */
const maxLineBytes = 255;
/** A server may send other lines first (section 4.2); as a client we take this many bytes of them. */
const maxPreambleBytes = 8192;

const LF = 0x0a;
const CR = 0x0d;

const invalid = (message: string): PeerFault =>
  new PeerFault("BAD_IDENTIFICATION", message, {
    disconnectReason: disconnectReasons.protocolError,
    // sshd's own text, which scanners and its regress suite look for.
    tell: "Invalid SSH identification string.",
  });

/**
 * Collects the peer's line however it is cut up, and never more than 255 bytes of it. For a server the first line must be it
 * (OpenSSH does the same; a client has nothing else to say, and other lines only feed parsers and logs).
 */
export class Identification {
  readonly #line = new Uint8Array(maxLineBytes);
  readonly #allowPreamble: boolean;
  #length = 0;
  #preambleBytes = 0;

  constructor(side: "server" | "client") {
    this.#allowPreamble = side === "client";
  }

  /**
   * Takes bytes of `buffer[start, end)` up to the end of the line; what follows is left. Throws PeerFault BAD_IDENTIFICATION or
   * VERSION_MISMATCH, with sshd's words.
   */
  take(buffer: Uint8Array, start: number, end: number): { consumed: number; complete: boolean } {
    for (let at = start; at < end; at += 1) {
      const byte = buffer[at] ?? 0;
      if (byte === LF) {
        if (this.#endOfLine()) return { consumed: at + 1 - start, complete: true };
        continue;
      }
      if (byte === 0) {
        throw invalid("Cannot read identification: banner line contains invalid characters");
      }
      // One place is kept for the LF.
      if (this.#length === maxLineBytes - 1) {
        throw invalid(
          `Cannot read identification: longer than ${maxLineBytes} bytes: ${quote(this.#line)}`,
        );
      }
      this.#line[this.#length] = byte;
      this.#length += 1;
    }
    return { consumed: end - start, complete: false };
  }

  /** The line without its end; a copy. */
  version(): Uint8Array {
    return this.#line.slice(0, this.#length);
  }

  #endOfLine(): boolean {
    if (this.#line[this.#length - 1] === CR) this.#length -= 1;
    const text = Buffer.from(this.#line.buffer, 0, this.#length).toString("latin1");
    if (!text.startsWith("SSH-")) {
      this.#preambleBytes += this.#length + 2;
      if (!this.#allowPreamble || this.#preambleBytes > maxPreambleBytes) {
        throw invalid(`client sent invalid protocol identifier ${quote(text)}`);
      }
      this.#length = 0;
      return false;
    }
    checkVersion(text);
    return true;
  }
}

/** 2.0 and above, and 1.99, which says 2.0 too (RFC 4253 section 5.1). */
function checkVersion(text: string): void {
  // Without LF alone a line may be one byte longer than what the other processes expect of it.
  if (text.length > maxVersionBytes) {
    throw invalid(`Cannot read identification: longer than ${maxLineBytes} bytes`);
  }
  if (text.includes("\r")) {
    throw invalid("Cannot read identification: banner line contains invalid characters");
  }
  const [, major, minor] = /^SSH-(\d{1,5})\.(\d{1,5})-[^\n]/.exec(text) ?? [];
  if (major === undefined || minor === undefined) {
    throw invalid(`Bad remote protocol version identification: ${quote(text)}`);
  }
  if (Number(major) === 2 || (Number(major) === 1 && Number(minor) === 99)) return;
  throw new PeerFault(
    "VERSION_MISMATCH",
    `Protocol major versions differ: 2 vs. ${Number(major)}`,
    {
      disconnectReason: disconnectReasons.protocolVersionNotSupported,
      tell: "Protocol major versions differ.",
    },
  );
}
