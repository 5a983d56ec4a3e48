// `sallyport trace`: a connection's broker conversation, recorded, shown and compared. Every wrong input is one line and status 2.
import { diff, diffHelp } from "./diff.ts";
import { page, pageHelp } from "./page.ts";
import { TraceError } from "./read.ts";
import { record, recordHelp } from "./record.ts";
import { show, showHelp } from "./show.ts";

const help = `usage: sallyport trace COMMAND [OPTIONS]

  record     records one login to a server of its own: every message of its broker, processes, uids, sandboxes (root)
  show       prints a trace
  html       makes one page of a trace, to be opened in a browser
  diff       compares two traces: messages, phases, permits, sizes

sallyport trace COMMAND --help tells more; docs/trace.md has the format.
Exit status: 0 done, the same; 1 not the same; 2 the call or its input was wrong.`;

const commands = {
  record: { run: record, help: recordHelp },
  show: { run: show, help: showHelp },
  html: { run: page, help: pageHelp },
  diff: { run: diff, help: diffHelp },
} as const;
const isCommand = (name: string): name is keyof typeof commands => Object.hasOwn(commands, name);
/** A pipe's reader (`| head`) that has gone is no fault. */
const endQuietly = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
};

/** The exit status. */
export async function trace([name = "", ...args]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "-h" || name === "help") {
    console.log(help);
    return 0;
  }
  const wrong = (text: string): number => {
    console.error(`sallyport trace: ${text.replaceAll("\n", " ")}`);
    return 2;
  };
  if (name === "") return wrong("record, show, html or diff? See sallyport trace --help");
  if (!isCommand(name)) return wrong(`unknown command ${JSON.stringify(name)}; see --help`);
  const { run, help: commandHelp } = commands[name];
  const own = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  if (own.includes("--help") || own.includes("-h")) {
    console.log(commandHelp);
    return 0;
  }
  process.stdout.on("error", endQuietly);
  try {
    return await run(args);
  } catch (error) {
    if (error instanceof TraceError) return wrong(error.message);
    // parseArgs: an option that is not there, or without its value.
    const { code } = error as NodeJS.ErrnoException; // Node's own errors carry it
    if (code?.startsWith("ERR_PARSE_ARGS") === true && error instanceof Error)
      return wrong(error.message);
    throw error;
  }
}
