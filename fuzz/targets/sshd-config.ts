// A configuration: it is read, or refused with a line that names file and line; what was read can be read again from its own sources.
import { ConfigError, loadConfig, printOptions } from "../../config/load.ts";

const path = "/nowhere/sshd_config";

export function fuzz(data: Uint8Array): void {
  const content = Buffer.from(data).toString("utf8");
  // Include would read this machine's files, and a run would not be the same on another.
  if (/include/i.test(content)) return;
  try {
    const config = loadConfig({ file: path, sources: [{ path, content }] });
    const again = loadConfig({ file: path, sources: config.sources });
    if (printOptions(config.global).join("\n") !== printOptions(again.global).join("\n"))
      throw new Error("the same file means two things");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (error.lines.length === 0 || error.lines.some((line) => line === ""))
      throw new Error("refused without a word", { cause: error });
  }
}
