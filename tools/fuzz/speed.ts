// `sallyport fuzz broker --speed`: how many messages a second, and what each part of the fuzzer costs. The messages are those of a run of the
// fuzzer: made beforehand, and played again and again.
import { cpus } from "node:os";
import { loadCountedBroker } from "../../fuzz/counted-broker.ts";
import { Engine } from "../../fuzz/engine.ts";
import { execute } from "../../fuzz/execute.ts";
import { mutate } from "../../fuzz/mutate.ts";
import type { Sequence } from "../../fuzz/sequence.ts";
import { Conversation } from "../../lab/conversation.ts";
import { loadBroker, type BrokerCode } from "../../lab/mutant-loader.ts";
import { Dice } from "../../lab/player.ts";

export interface Speed {
  readonly what: string;
  readonly messages: number;
  /** By the clock, and of CPU time of this process, V8's other threads with it. */
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const executionsBefore = 1500;
const sequencesPlayed = 2000;

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Sequences as a run comes upon them once it has kept some. */
function workload(code: BrokerCode, seed: number, corpus: readonly Sequence[]): Sequence[] {
  const engine = new Engine({ code, seed, corpus, isDone: ({ executions }) => executions >= executionsBefore }); // prettier-ignore
  if (engine.run() !== null) throw new RangeError("the broker breaks a rule: nothing to measure");
  return Array.from({ length: sequencesPlayed }, (_, i) => {
    const dice = new Dice((seed + i * 7919) >>> 0);
    return mutate(dice.pick(engine.kept), dice.pick(engine.kept), dice);
  });
}

/** Nobody watches. */
function converse(code: BrokerCode, { scenario, isGivenConnection, moves }: Sequence): number {
  const conversation = new Conversation(code, scenario);
  conversation.isGivenConnection = isGivenConnection;
  let messages = 0;
  for (const move of moves) {
    if (conversation.isOver) break;
    if (move.kind === "send") {
      messages += 1;
      conversation.send(move.bytes, move.descriptors);
    } else if (move.kind === "hold") conversation.isHeld = true;
    else {
      conversation.isHeld = false;
      conversation.settle();
    }
  }
  return messages;
}

/** `play` gives the number of its messages; it has run once before, so that its code is compiled. */
function measure(what: string, seconds: number, play: () => number): Speed {
  play();
  const [began, cpuBegan] = [performance.now(), cpuSeconds()];
  let messages = 0;
  while (performance.now() - began < seconds * 1000) messages += play();
  return {
    what,
    messages,
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: cpuSeconds() - cpuBegan,
  };
}

/** One measurement after the other, each of so many seconds. */
export async function* measureSpeed(
  seconds: number,
  seed: number,
  corpus: readonly Sequence[],
): AsyncGenerator<Speed> {
  const plain = await loadCountedBroker(false);
  const sequences = workload(plain.code, seed, corpus);
  const all = (play: (sequence: Sequence) => number) => (): number =>
    sequences.reduce((sum, sequence) => sum + play(sequence), 0);
  const alone = (code: BrokerCode) => all((sequence) => converse(code, sequence));
  const judged = (code: BrokerCode) => all((sequence) => execute(code, sequence).messages);

  yield measure("the broker alone", seconds, alone(plain.code));
  yield measure("... with every signature verified anew", seconds, alone(await loadBroker(null)));
  yield measure("the broker and the judge", seconds, judged(plain.code));
  const counted = await loadCountedBroker();
  yield measure("... with branches counted", seconds, judged(counted.code));
  yield measure("fuzzing: new sequences, all of it", seconds, () => {
    const engine = new Engine({
      code: counted.code,
      seed,
      corpus,
      takeBranches: counted.take,
      isDone: ({ executions }) => executions >= 20 * executionsBefore,
    });
    engine.run();
    return engine.messages;
  });
}

const perSecond = (count: number, seconds: number): string =>
  Math.round(count / seconds)
    .toLocaleString("en")
    .padStart(12);
export const speedHeading = (): string =>
  `${process.version} on ${cpus().length} of ${cpus()[0]?.model.trim() ?? "unknown CPUs"}\n\n` +
  `${"messages".padEnd(44)}${"a second".padStart(12)}${"of CPU time".padStart(14)}`;
export const speedLine = ({ what, messages, seconds, cpuSeconds: cpu }: Speed): string =>
  `${what.padEnd(44)}${perSecond(messages, seconds)}${perSecond(messages, cpu).padStart(14)}`;
