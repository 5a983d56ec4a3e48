// `sallyport`: the tool beside the server. Each subcommand is a file; exit status 2 is for a wrong call.
import { probe } from "./probe.ts";

const help = `usage: sallyport COMMAND [OPTIONS]

  probe      logs in with ssh2's client and says how long each step took (health checks): sallyport probe --help
  trace      records a connection's broker conversation; shows, draws and compares it: sallyport trace --help
  console    you are the session process: any message to a broker, with its bugs or without: sallyport console --help
  sandbox    the running server's confinement; escape attempts, and what stops them: sallyport sandbox --help
  fuzz       looks for a sequence of messages that makes a broker break its rules: sallyport fuzz --help
  version    prints the version

Exit status: 0 done; 1 the answer is no; 2 the call was wrong.`;

/** Of the design, for later versions: named, so that nobody takes their absence for a typing error. */
const later = new Set(["sessions", "penalties"]);

const [command = "help", ...rest] = process.argv.slice(2);
const wrong = (text: string): never => {
  console.error(`sallyport: ${text}`);
  process.exit(2);
};
switch (command) {
  case "probe":
    process.exitCode = await probe(rest);
    break;
  case "trace": {
    const { trace } = await import("./trace/main.ts");
    process.exitCode = await trace(rest);
    break;
  }
  case "console": {
    const { consoleCommand } = await import("./console.ts");
    process.exitCode = await consoleCommand(rest);
    break;
  }
  case "sandbox": {
    const { sandbox } = await import("./sandbox/main.ts");
    process.exitCode = await sandbox(rest);
    break;
  }
  case "fuzz": {
    const { fuzz } = await import("./fuzz/main.ts");
    process.exitCode = await fuzz(rest);
    break;
  }
  case "version":
  case "--version":
    console.log("sallyport 0.1.0");
    break;
  case "help":
  case "--help":
  case "-h":
    console.log(help);
    break;
  default:
    wrong(
      later.has(command)
        ? `${command} is not available in this version`
        : `unknown command ${JSON.stringify(command)}; see sallyport --help`,
    );
}
