// MaxStartups begin:rate:full (sshd_config(5)): random early drop of connections that have not authenticated.
export interface StartupLimits {
  /** Below this many unauthenticated connections none is dropped. */
  readonly begin: number;
  /** Percent dropped at `begin`, rising linearly to 100 at `full`. */
  readonly rate: number;
  readonly full: number;
}

/** `random` is uniform in [0, 100), whole. */
export function isDropped(startups: number, limits: StartupLimits, random: number): boolean {
  if (startups < limits.begin) return false;
  if (startups >= limits.full || limits.rate === 100) return true;
  const percent =
    limits.rate +
    Math.floor(((100 - limits.rate) * (startups - limits.begin)) / (limits.full - limits.begin));
  return random < percent;
}

/** While dropping goes on, a summary line comes this often (sshd's SSHD_MAXSTARTUPS_LOG_INTERVAL). */
const summaryIntervalMs = 5 * 60 * 1000;

/** What a decision gives the log: sshd says when throttling begins, goes on and ends, and each drop more quietly in between. */
export interface ThrottleReport {
  readonly summary?: { readonly level: "error" | "info"; readonly text: string };
  /** info for the drop that began it or comes with a summary, else verbose. */
  readonly dropLevel: "info" | "verbose";
}

/** Remembers since when connections are dropped. Times are milliseconds of a monotonic clock. */
export class Throttle {
  #firstMs = 0;
  #lastMs: number | undefined;
  #dropped = 0;

  dropped(nowMs: number): ThrottleReport {
    this.#dropped += 1;
    if (this.#lastMs === undefined) {
      this.#firstMs = nowMs;
      this.#lastMs = nowMs;
      return {
        summary: { level: "error", text: "beginning MaxStartups throttling" },
        dropLevel: "info",
      };
    }
    if (this.#lastMs + summaryIntervalMs >= nowMs) return { dropLevel: "verbose" };
    this.#lastMs = nowMs;
    const text = `in MaxStartups throttling for ${this.#frame(nowMs)}, ${this.#dropped} connections dropped`;
    return { summary: { level: "error", text }, dropLevel: "info" };
  }

  /** The line that ends it, once `startups` is clear of `begin`. */
  passed(startups: number, limits: StartupLimits, nowMs: number): string | undefined {
    if (this.#lastMs === undefined || startups >= limits.begin - 1) return undefined;
    const text = `exited MaxStartups throttling after ${this.#frame(nowMs)}, ${this.#dropped} connections dropped`;
    this.#lastMs = undefined;
    this.#dropped = 0;
    return text;
  }

  /** HH:MM:SS, as sshd's fmt_timeframe. */
  #frame(nowMs: number): string {
    const seconds = Math.floor((nowMs - this.#firstMs) / 1000);
    const part = (value: number): string => String(value).padStart(2, "0");
    return `${part(Math.floor(seconds / 3600))}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
  }
}
