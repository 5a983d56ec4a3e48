// PidFile (sshd_config(5)).
import { unlinkSync, writeFileSync } from "node:fs";
import type { EventSink } from "./events.ts";

export class PidFile {
  readonly #events: EventSink;
  #path: string | undefined;

  constructor(events: EventSink) {
    this.#events = events;
  }

  /** `path` "none": no file. One that cannot be written is told and lived without, as sshd does. */
  write(path: string, pid: number): void {
    if (path !== this.#path) this.remove();
    if (path === "none") return;
    try {
      writeFileSync(path, `${pid}\n`, { mode: 0o644 });
      this.#path = path;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException; // node:fs sets it
      this.#events.event("error", "pid-file.failed", `Couldn't create pid file "${path}": ${code}`);
    }
  }

  remove(): void {
    const path = this.#path;
    this.#path = undefined;
    if (path === undefined) return;
    try {
      unlinkSync(path);
    } catch {
      // Somebody has removed it already.
    }
  }
}
