// -t, -T and -G: what a start would find, without starting.
import { ConfigError, printOptions } from "../config/load.ts";
import type { Flags } from "../config/flags.ts";
import type { MatchContext } from "../config/match.ts";
import { loadSettings } from "./settings.ts";
import { loadHostKey } from "./signer/host-key.ts";

const failure = 255;
const noKeys = 1;

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

function matchContext(spec: Flags["connection"]): MatchContext {
  return {
    ...(spec["user"] === undefined ? {} : { user: spec["user"] }),
    ...(spec["host"] === undefined ? {} : { host: spec["host"] }),
    ...(spec["addr"] === undefined ? {} : { address: spec["addr"] }),
    ...(spec["laddr"] === undefined ? {} : { localAddress: spec["laddr"] }),
    ...(spec["lport"] === undefined ? {} : { localPort: Number(spec["lport"]) }),
  };
}

/** Returns the exit status: 0, 1 without a host key, 255 for a configuration that cannot be used. */
export function check(flags: Flags): number {
  let settings;
  try {
    settings = loadSettings(flags);
  } catch (error) {
    for (const line of error instanceof ConfigError ? error.lines : [describe(flags, error)])
      say(line);
    return failure;
  }
  const { config } = settings;
  for (const notice of config.notices) say(notice);
  if (flags.action !== "parse") {
    const loaded = config.global.hostKey.map(loadHostKey);
    for (const key of loaded) if ("errors" in key && !flags.quiet) key.errors.forEach(say);
    if (loaded.every((key) => "errors" in key)) {
      say("sshd: no hostkeys available -- exiting.");
      return noKeys;
    }
  }
  if (flags.action !== "test") {
    const options = config.resolve(matchContext(flags.connection));
    process.stdout.write(`${printOptions(options).join("\n")}\n`);
  }
  return 0;
}

/** A file that cannot be read, in sshd's words. */
function describe(flags: Flags, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException; // absent where no system call failed
  if (code === "ENOENT") return `${flags.file}: No such file or directory`;
  if (code === "EACCES") return `${flags.file}: Permission denied`;
  return error instanceof Error ? error.message : String(error);
}
