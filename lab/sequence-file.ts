// A conversation in a file: one JSON object a line, as the fuzzer's corpus has it.
import type { SentFrame } from "./console.ts";

export function sequenceText(frames: readonly SentFrame[]): string {
  return frames
    .map(
      ({ bytes, descriptors }) =>
        `${JSON.stringify({ hex: Buffer.from(bytes).toString("hex"), descriptors })}\n`,
    ) // prettier-ignore
    .join("");
}
