// -e, -d and -E: lines to a descriptor, as sshd's log.c writes them there: a prefix for debug levels only, and CR LF at the end.
import { closeFd, writeFd, WOULD_BLOCK } from "../../native/descriptors.ts";
import type { LogLine, LogOutput } from "./line.ts";

export const streamLine = ({ level, text }: LogLine): string =>
  `${level.startsWith("debug") ? `${level}: ` : ""}${text}\r\n`;

/** The whole text, or as much as the descriptor takes. */
export function writeText(fd: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  try {
    for (let at = 0; at < bytes.length;) {
      const written = writeFd(fd, bytes, at, bytes.length - at);
      if (written === WOULD_BLOCK) return;
      at += written;
    }
  } catch {
    // A full disk, a reader that is gone: there is nowhere to say it.
  }
}

export class StreamOutput implements LogOutput {
  readonly #fd: number;
  readonly #owned: boolean;

  /** Closes `fd` at the end when it is `owned`. */
  constructor(fd: number, owned: boolean) {
    this.#fd = fd;
    this.#owned = owned;
  }

  write(line: LogLine): void {
    writeText(this.#fd, streamLine(line));
  }

  close(): void {
    if (this.#owned) closeFd(this.#fd);
  }
}
