// How the programs of this folder tell what they saw.
import { writeSync } from "node:fs";

/** One line of JSON, bigints in hexadecimal; written at once, before anything that may kill us. */
export function say(value: unknown): void {
  const plain = (_: string, item: unknown) =>
    typeof item === "bigint" ? `0x${item.toString(16)}` : item;
  writeSync(1, `${JSON.stringify(value, plain)}\n`);
}

/** The code of what `action` throws, or "done". */
export function code(action: () => unknown): string {
  try {
    action();
    return "done";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
