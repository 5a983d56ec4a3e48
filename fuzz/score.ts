// The mutation score: the fuzzer against one broker, from nothing, until the judge finds something or time is up.
import type { Finding } from "../lab/judge.ts";
import type { CountedBroker } from "./counted-broker.ts";
import { Engine } from "./engine.ts";

export interface Score {
  readonly executions: number;
  readonly messages: number;
  readonly seconds: number;
  readonly finding: Finding | null;
}
export interface Budget {
  readonly seed: number;
  readonly seconds: number;
  /** Sequences at most. */
  readonly executions: number;
}

/** Without a corpus: the repository's own was made by runs against the broker and some of its mutants. */
export function score({ code, take }: CountedBroker, budget: Budget): Score {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const engine = new Engine({
    code,
    seed: budget.seed,
    corpus: [],
    takeBranches: take,
    isDone: ({ executions }) => executions >= budget.executions || seconds() > budget.seconds,
  });
  const found = engine.run();
  const { executions, messages } = engine;
  return {
    executions,
    messages,
    seconds: seconds(),
    finding: found?.finding ?? null,
  };
}
