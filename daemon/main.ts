// sallyportd: what its command line asks for. bin/sallyportd starts this with its own path as the first argument. Only what one
// action needs is loaded for it: `-t` and `-V` answer at once.
import { parseFlags, UsageError, usage, help, type Flags } from "../config/flags.ts";
import { provenRuntime } from "./runtime.ts";

/** As sshd: wrong flags, a wrong configuration, no host keys. */
const usageStatus = 1;
/** The re-executed process of a daemon finds its parent on this descriptor (daemonize.ts). */
const daemonMarker = "--as-daemon";
/** OpenSSH's clients and scripts look for a version like this. */
const version = `sallyport_0.1.0, Node ${provenRuntime}, OpenSSL ${process.versions.openssl}`;

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

function flagsOf(words: readonly string[]): Flags {
  try {
    return parseFlags(words);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(error.message);
    say(usage);
    process.exit(usageStatus);
  }
}

async function serve(path: string, words: readonly string[], flags: Flags): Promise<void> {
  const isDaemon = words.at(-1) === daemonMarker;
  if (!isDaemon && !path.startsWith("/") && !flags.inetd) {
    say("sshd requires execution with an absolute path");
    process.exit(usageStatus);
  }
  const stays = flags.foreground || flags.debug > 0 || flags.inetd;
  if (stays || isDaemon) {
    const { run } = await import("./run.ts");
    run({ flags, commandLine: [path, ...words].join(" "), isDaemon });
  } else {
    const { daemonize } = await import("./daemonize.ts");
    process.exitCode = daemonize([path, ...words, daemonMarker]);
  }
}

const [path = "", ...words] = process.argv.slice(2);
const flags = flagsOf(words.filter((word) => word !== daemonMarker));
switch (flags.action) {
  case "version":
    say(version);
    break;
  case "help":
    process.stdout.write(`${help}\n`);
    break;
  case "test":
  case "dump":
  case "parse": {
    const { check } = await import("./check.ts");
    process.exitCode = check(flags);
    break;
  }
  case "serve":
    await serve(path, words, flags);
    break;
}
