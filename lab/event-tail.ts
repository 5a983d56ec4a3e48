// What a server has written into its EventLog or log since one last looked: a file of a long run is not read again and again.
import { closeSync, openSync, readSync } from "node:fs";
import type { ServerEvent } from "./real-talk.ts";

const chunkBytes = 256 * 1024;

/** Whole lines of a file that grows. Owns a descriptor until `close`. */
export class FileTail {
  readonly #fd: number;
  readonly #chunk = Buffer.alloc(chunkBytes);
  #rest: Buffer = Buffer.alloc(0);

  /** Throws what open(2) throws. */
  constructor(path: string) {
    this.#fd = openSync(path, "r");
  }

  /** New ones since the last call, as latin1: bytes stay what they are. */
  take(): string[] {
    const parts = [this.#rest];
    for (;;) {
      const got = readSync(this.#fd, this.#chunk);
      if (got === 0) break;
      parts.push(Buffer.from(this.#chunk.subarray(0, got)));
    }
    if (parts.length === 1) return [];
    const all = Buffer.concat(parts);
    const end = all.lastIndexOf(10) + 1;
    this.#rest = all.subarray(end);
    return all.subarray(0, end).toString("latin1").split("\n").slice(0, -1);
  }
  close(): void {
    closeSync(this.#fd);
  }
}

/** Throws SyntaxError for a line that is no JSON. */
export const parseEvent = (line: string): ServerEvent =>
  JSON.parse(Buffer.from(line, "latin1").toString("utf8")) as ServerEvent; // our own server's
