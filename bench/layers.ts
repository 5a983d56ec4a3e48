// What the layers beyond OpenSSH's kind cost a login: the server against a copy without them, in one run, taking turns.
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { beyondOpenssh, makeServerWithFewerLayers, opensshKind } from "./fewer-layers.ts";
import { authentication, logins } from "./measures.ts";
import { median } from "./median.ts";
import { Stage, type Server } from "./stage.ts";

const { values } = parseArgs({
  options: {
    layers: { type: "boolean", default: true },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const rounds = values.quick ? 9 : 41;
const measures = [
  "login with `true`: wall",
  "login with `true`: server CPU",
  "accept to USERAUTH_SUCCESS",
] as const;

async function measure(server: Server): Promise<readonly number[]> {
  const { wallMs, cpuMs } = await logins(server, 4, 1);
  return [wallMs, cpuMs, await authentication(server)];
}

const stage = new Stage();
const seen: Record<"fewer" | "all", (readonly number[])[]> = { fewer: [], all: [] };
try {
  // Else the layers that it goes without would be required of it.
  const config = [`SandboxRequire ${opensshKind.join(" ")}`];
  const folder = `${stage.folder}/fewer`;
  mkdirSync(folder);
  const program = makeServerWithFewerLayers(folder);
  const fewer = await stage.start("sallyport-fewer-layers", { program, config });
  const all = await stage.start("sallyport", { config });
  for (const server of [fewer, all]) await logins(server, 3, 1);
  for (let round = 0; round < rounds; round += 1) {
    // Whoever comes second finds the machine as the first has left it.
    const turns = [["fewer", fewer] as const, ["all", all] as const];
    for (const [name, server] of round % 2 === 0 ? turns : turns.reverse())
      seen[name].push(await measure(server));
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[Kround ${round + 1} of ${rounds}`);
  }
} finally {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  await stage.close();
}

const column = (list: readonly (readonly number[])[], i: number): number =>
  median(list.map((row) => row[i] ?? Number.NaN));
const rows = measures.map((name, i) => ({
  measure: name,
  fewerMs: column(seen.fewer, i),
  allMs: column(seen.all, i),
  /** Round by round, so that what else the machine did then falls on both. */
  ratio: median(seen.all.map((row, round) => (row[i] ?? Number.NaN) / (seen.fewer[round]?.[i] ?? Number.NaN))), // prettier-ignore
}));
if (values.json)
  console.log(JSON.stringify({ rounds, left: opensshKind, beyond: beyondOpenssh, rows }, null, 1)); // prettier-ignore
else {
  console.log(`${rounds} rounds. Without: ${beyondOpenssh.join(", ")}; no layer for broker, signer and listener; nobody looks from outside.\n`); // prettier-ignore
  console.log("| measure | OpenSSH's kind of layers | all layers | ratio | to reach |");
  console.log("| --- | --- | --- | --- | --- |");
  for (const { measure: name, fewerMs, allMs, ratio } of rows)
    console.log(`| ${name} | ${fewerMs.toFixed(1)} ms | ${allMs.toFixed(1)} ms | ${ratio.toFixed(2)} | ${name.endsWith("wall") ? "<= 1.1" : ""} |`); // prettier-ignore
}
