// sallyport against sshd in one run: the servers take turns, medians and ratios are printed as Markdown, or as JSON.
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { authentication, bulk, idle, logins } from "./measures.ts";
import { median } from "./median.ts";
import { Stage, type Server } from "./stage.ts";

const ciphers = [
  "chacha20-poly1305@openssh.com",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
];
const sections = ["login", "auth", "bulk", "memory"] as const;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: sections.join(",") },
    rounds: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(`usage: npm run bench -- [--quick] [--json] [--only ${sections.join(",")}]
       npm run bench -- --layers [--quick] [--json]

  --quick   128 MiB instead of 1 GiB, fewer logins, at most 50 sessions
  --json    one object instead of a table
  --only    the sections to measure
  --rounds  so many turns of each server, instead of 2 to 25 by section
  --layers  a login with all layers against one without those beyond OpenSSH's kind`);
  process.exit(0);
}
const wanted = new Set(values.only.split(","));
const refuse = (why: string): never => {
  console.error(`bench: ${why}; see npm run bench -- --help`);
  process.exit(2);
};
for (const name of wanted)
  if (!sections.some((section) => section === name)) refuse(`--only ${JSON.stringify(name)} is not a section`); // prettier-ignore
if (values.rounds !== undefined && !/^[1-9]\d{0,3}$/.test(values.rounds))
  refuse(`--rounds ${JSON.stringify(values.rounds)} is not a number from 1 to 9999`);
const chosenRounds = values.rounds === undefined ? undefined : Number(values.rounds);

type Peer = "sshd" | "sallyport";
interface Row {
  readonly measure: string;
  readonly unit: string;
  readonly sshd: number;
  readonly sallyport: number;
  /** What is to be reached: sallyport's share of sshd's, at most or at least. */
  readonly target?: string;
}
const rows: Row[] = [];
const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

/** The servers take turns, so that what else the machine does falls on both. */
async function compare(
  usualRounds: number,
  measure: (server: Server) => Promise<number[]>,
): Promise<Record<Peer, number[]>> {
  const rounds = chosenRounds ?? usualRounds;
  const seen: Record<Peer, number[][]> = { sshd: [], sallyport: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, server] of servers) seen[name].push(await measure(server));
  }
  const medians = (runs: number[][]): number[] =>
    (runs[0] ?? []).map((_, i) => median(runs.map((run) => run[i] ?? Number.NaN)));
  return { sshd: medians(seen.sshd), sallyport: medians(seen.sallyport) };
}
function record(
  unit: string,
  measures: readonly [string, string?][],
  result: Record<Peer, number[]>,
): void {
  measures.forEach(([measure, target], i) => {
    const [sshd = Number.NaN, sallyport = Number.NaN] = [result.sshd[i], result.sallyport[i]];
    rows.push({ measure, unit, sshd, sallyport, ...(target === undefined ? {} : { target }) });
  });
}

const stage = new Stage();
let servers: (readonly [Peer, Server])[] = [];
try {
  servers = [
    ["sshd", await stage.start("sshd")],
    ["sallyport", await stage.start("sallyport")],
  ];
  for (const [, server] of servers) await logins(server, 3, 1);
  if (wanted.has("login")) {
    const rounds = values.quick ? 5 : 15;
    progress("logins, one after another");
    record(
      "ms",
      [
        ["login with `true`: wall", "<= 0.5"],
        ["login with `true`: server CPU", "<= 0.9"],
      ],
      await compare(rounds, async (server) => {
        const { wallMs, cpuMs } = await logins(server, 4, 1);
        return [wallMs, cpuMs];
      }),
    );
    progress("logins, 8 at a time");
    record(
      "ms",
      [
        ["login, 8 at a time: wall", "<= 0.5"],
        ["login, 8 at a time: server CPU", "<= 0.9"],
      ],
      await compare(values.quick ? 2 : 5, async (server) => {
        const { wallMs, cpuMs } = await logins(server, 32, 8);
        return [wallMs, cpuMs];
      }),
    );
  }
  if (wanted.has("auth")) {
    progress("time to USERAUTH_SUCCESS");
    record(
      "ms",
      [["accept to USERAUTH_SUCCESS"]],
      await compare(values.quick ? 9 : 25, async (server) => [await authentication(server)]),
    );
  }
  if (wanted.has("bulk")) {
    const mib = values.quick ? 128 : 1024;
    const file = `/dev/shm/sallyport-bench-${process.pid}`;
    execFileSync("sh", ["-c", `head -c ${mib}M /dev/urandom > ${file}; chmod 644 ${file}`]);
    try {
      for (const cipher of ciphers) {
        for (const direction of ["download", "upload"] as const) {
          progress(`${direction} ${cipher}`);
          record(
            "MiB/s",
            [[`${direction} ${mib} MiB, ${cipher}`, ">= 0.9"]],
            await compare(values.quick ? 3 : 5, async (server) => [
              mib / (await bulk(server, cipher, file, direction)),
            ]),
          );
        }
      }
    } finally {
      execFileSync("rm", ["-f", file]);
    }
  }
  if (wanted.has("memory")) {
    for (const count of values.quick ? [1, 50] : [1, 50, 200]) {
      progress(`${count} idle sessions`);
      const each = await compare(1, async (server) => {
        const before = await idle(server, 0);
        const after = await idle(server, count);
        return [
          (after.privateKiB - before.privateKiB) / 1024 / count,
          (after.proportionalKiB - before.proportionalKiB) / 1024 / count,
        ];
      });
      record(
        "MiB a session",
        [[`private memory, ${count} idle`, "<= 8 MiB"], [`proportional memory, ${count} idle`]],
        each,
      );
    }
  }
} finally {
  progress("");
  await stage.close();
}

if (values.json) console.log(JSON.stringify(rows, null, 1));
else {
  console.log(
    "| measure | sshd 10.0p1 | sallyport | ratio | to reach |\n| --- | --- | --- | --- | --- |",
  );
  for (const { measure, unit, sshd, sallyport, target } of rows) {
    const [a, b] = [sshd, sallyport].map((value) => `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`);
    console.log(
      `| ${measure} | ${a ?? ""} | ${b ?? ""} | ${(sallyport / sshd).toFixed(2)} | ${target ?? ""} |`,
    );
  }
}
