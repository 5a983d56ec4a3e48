// What the log is told of the canary.
import type { EventSink } from "../events.ts";

/** `fault` "": it came back; `milliseconds` 0: it did so long ago. `isServing`: with processes that were proved before. */
export function sayFitness(
  events: EventSink,
  fault: string,
  milliseconds: number,
  isServing: boolean,
): void {
  if (fault !== "") {
    const what = isServing ? "what serves is not replaced" : "no connection is served";
    events.event(
      isServing ? "error" : "fatal",
      "sandbox.canary-failed",
      `The sandbox does not fit this runtime, ${what}: ${fault}`,
      { fields: { layer: "seccomp", fault } },
    );
  } else if (milliseconds > 0)
    events.event(
      "verbose",
      "sandbox.canary-passed",
      `The sandbox fits this runtime: a canary came back after ${milliseconds} ms`,
      { fields: { milliseconds } },
    );
}
