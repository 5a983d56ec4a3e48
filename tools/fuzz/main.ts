// `sallyport fuzz`: chooses what is fuzzed.
import { BadSequence } from "../../fuzz/sequence.ts";
import { fuzzBroker } from "./broker.ts";
import { fuzzSession } from "./session.ts";
import { fuzzServer } from "./server.ts";

const help = `usage: sallyport fuzz TARGET [OPTIONS]

  broker     sequences of messages to a broker in this process, watched by a judge: sallyport fuzz broker --help
  session    the same to a real broker process over its socket, from a session process that was taken over (root)
  server     SSH to the TCP port of a real server, with everything wrong: sallyport fuzz server --help

Exit status: 0 no rule was broken; 1 one was; 2 the call or its input was wrong.`;

export async function fuzz([target = "--help", ...rest]: readonly string[]): Promise<number> {
  try {
    switch (target) {
      case "broker":
        return await fuzzBroker(rest);
      case "session":
        return await fuzzSession(rest);
      case "server":
        return await fuzzServer(rest);
      case "--help":
      case "-h":
      case "help":
        console.log(help);
        return 0;
      default:
        throw new RangeError(`unknown target ${JSON.stringify(target)}; see sallyport fuzz --help`);
    }
  } catch (error) {
    // parseArgs throws TypeErrors with a code.
    const isTheirs = error instanceof RangeError || error instanceof BadSequence || (error instanceof TypeError && "code" in error); // prettier-ignore
    if (!isTheirs) throw error;
    console.error(`sallyport fuzz: ${error.message.split("\n")[0] ?? ""}`);
    return 2;
  }
}
