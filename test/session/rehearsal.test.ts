// The zygote's rehearsal, as the zygote runs it: synchronously, from the main program, without a turn of the event loop.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import t from "tap";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const flags = [
  "--jitless",
  "--single-threaded",
  "--v8-pool-size=0",
  "--disable-sigusr1",
  "--disallow-code-generation-from-strings",
];
/** Runs `script` as the main program of a process of our own kind; what it prints. */
const run = (script: string): string =>
  // Without NODE_OPTIONS of the test runner: its modules come first, and then the program runs inside the event loop.
  execFileSync("env", ["-i", process.execPath, ...flags, "-e", script], {
    encoding: "utf8",
  }).trim();
const load = `
  const { rehearse } = require("${dist}/session/rehearsal.js");
  const { defaults } = require("${dist}/config/options.js");`;

t.test("rehearse() runs to its end before it returns, and leaves no timer behind", (t) => {
  const left = run(`${load}
    rehearse(defaults);
    console.log(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length);`);
  t.equal(left, "0");
  t.end();
});

t.test("rehearse() throws when a connection stands still", (t) => {
  const said = run(`${load}
    const connectMonitor = () => ({ isDrained: true, send: () => undefined });
    try { rehearse(defaults, { connectMonitor }); } catch (error) { console.log(error.message); }`);
  t.match(said, /^Cannot rehearse: a connection stood still/);
  t.end();
});

t.test("rehearse() takes what is configured, one algorithm of each kind too", (t) => {
  const said = run(`${load}
    rehearse({ ...defaults, ciphers: ["aes128-ctr"], macs: ["hmac-sha2-512"], kexAlgorithms: ["ecdh-sha2-nistp521"] });
    console.log("done");`);
  t.equal(said, "done");
  t.end();
});
