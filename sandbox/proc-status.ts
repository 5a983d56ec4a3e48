// /proc/PID/status and its like, read.
import { readFileSync } from "node:fs";

/** Field name to value, both as they stand. */
export function statusOf(path: string): ReadonlyMap<string, string> {
  const lines = readFileSync(path, "latin1").split("\n");
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    }),
  );
}
