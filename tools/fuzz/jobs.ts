// What the fuzzers' command lines have in common about jobs and output.
import { spawn } from "node:child_process";
import { once } from "node:events";

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** `args` of one job among several: without what each has of its own. */
export const sharedArgs = (args: readonly string[]): string[] =>
  args.filter((arg, i) => !/^--(jobs|seed)/.test(arg) && !/^--(jobs|seed)$/.test(args[i - 1] ?? "") && arg !== "--json"); // prettier-ignore

/** Child processes of `sallyport fuzz TARGET` with seeds of their own; their summaries. Throws RangeError when one could not start. */
export async function inParallel<Summary>(
  target: string,
  args: readonly string[],
  seed: number,
  jobs: number,
): Promise<Summary[]> {
  const one = async (job: number): Promise<Summary> => {
    const own = ["fuzz", target, ...args, "--jobs", "1", "--seed", String(seed + job * 1_000_003), "--json"]; // prettier-ignore
    const child = spawn(process.execPath, [process.argv[1] ?? "", ...own], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    await once(child, "close");
    if (child.exitCode === 2) throw new RangeError("a job could not start");
    return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Summary; // our own
  };
  return Promise.all(Array.from({ length: jobs }, (_, job) => one(job)));
}
