// The console at a terminal: a line to edit, a history, completion from the tables.
import { createInterface } from "node:readline";
import { requests } from "../ipc/monitor.ts";
import type { Console } from "../lab/console.ts";
import { commands } from "../lab/console-help.ts";
import { kebab, requestNames } from "../lab/console-words.ts";

/** What could stand where the cursor is. */
export function complete(engine: Console, line: string): [string[], string] {
  const typed = line.split(/\s+/);
  const last = typed.at(-1) ?? "";
  const [command = "", message = ""] = typed;
  const choices = ((): string[] => {
    if (typed.length === 1) return Object.keys(commands).map((name) => `${name} `);
    if (last.includes("="))
      return engine.variables.map((name) => `${last.slice(0, last.indexOf("=") + 1)}${name}`);
    if (command === "send" || command === "describe") {
      if (typed.length === 2) return requestNames.map((name) => `${kebab(name)} `);
      const found = requestNames.find((name) => kebab(name) === message);
      return found === undefined || command === "describe" ? [] : Object.keys(requests[found].fields).map((name) => `${kebab(name)}=`); // prettier-ignore
    }
    if (command === "sign-as") {
      if (typed.length === 2)
        return engine.variables.filter((name) => name.startsWith("$key.")).map((name) => `${name.slice(5)} `); // prettier-ignore
      return ["user", "service", "algorithm", "session-id", "host-key", "blob"].map((name) => `${name}=`); // prettier-ignore
    }
    return command === "help" ? Object.keys(commands) : [];
  })();
  return [choices.filter((choice) => choice.startsWith(last)), last];
}

/** Until `quit` or the end of input. `obey` gets every other line. */
export async function interact(
  engine: Console,
  obey: (line: string) => Promise<void>,
): Promise<void> {
  const terminal = createInterface({
    input: process.stdin,
    output: process.stdout,
    completer: (line: string) => complete(engine, line),
  });
  const prompt = (): void => {
    terminal.setPrompt(`${engine.prompt}> `);
    terminal.prompt();
  };
  await obey("exercise");
  console.log("help lists the commands; the first message of a session process is confined.");
  prompt();
  for await (const line of terminal) {
    if (line.trim() === "quit") break;
    await obey(line);
    prompt();
  }
  terminal.close();
}
