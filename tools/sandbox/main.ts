// `sallyport sandbox`: what holds on this machine, tried and shown. Every wrong call is one line and status 2.
import { SandboxError } from "./sandbox-error.ts";

const help = `usage: sallyport sandbox COMMAND [OPTIONS]

  status     each process of the running server, and whether what its role requires holds
  prove      tries to escape from session process, broker, signer and listener; says which layer stopped each attempt
  filter     prints a filter as the kernel runs it

sallyport sandbox COMMAND --help tells more; docs/sandbox-prove.md says how to read it.`;

interface Command {
  readonly run: (args: readonly string[]) => number | Promise<number>;
  readonly help: string;
}
/** Loaded when called: a tool that prints its version needs none of it. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  status: async () => {
    const { status, statusHelp } = await import("./status.ts");
    return { run: status, help: statusHelp };
  },
  prove: async () => {
    const { prove, proveHelp } = await import("./prove.ts");
    return { run: prove, help: proveHelp };
  },
  filter: async () => {
    const { filter, filterHelp } = await import("./filter.ts");
    return { run: filter, help: filterHelp };
  },
};

/** The exit status. */
export async function sandbox([name = "", ...args]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "-h" || name === "help") {
    console.log(help);
    return 0;
  }
  const wrong = (text: string): number => {
    console.error(`sallyport sandbox: ${text.replaceAll("\n", " ")}`);
    return 2;
  };
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined)
    return wrong(`${name === "" ? Object.keys(commands).join(", ") + "?" : `unknown command ${JSON.stringify(name)};`} see sallyport sandbox --help`); // prettier-ignore
  const command = await load();
  if (args.includes("--help") || args.includes("-h")) {
    console.log(command.help);
    return 0;
  }
  try {
    return await command.run(args);
  } catch (error) {
    if (error instanceof SandboxError) return wrong(error.message);
    // parseArgs: an option that is not there, or without its value.
    const { code } = error as NodeJS.ErrnoException; // Node's own errors carry it
    if (code?.startsWith("ERR_PARSE_ARGS") === true && error instanceof Error)
      return wrong(error.message);
    throw error;
  }
}
