// Every rule of every policy is used by somebody: ordinary and less ordinary connections under strace, each call put to the policy as the
// kernel's filter puts it. What is rare says so in the data, with a reason.
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import t from "tap";
import { broker } from "../../sandbox/policies/broker.ts";
import { listener } from "../../sandbox/policies/listener.ts";
import { session } from "../../sandbox/policies/session.ts";
import { signer } from "../../sandbox/policies/signer.ts";
import type { ArgumentTest, Policy, Rule } from "../../sandbox/rule.ts";
import { family } from "../../lab/processes.ts";
import { ssh } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";
import { confinedCalls, tracedProgram, type Role, type TracedCall } from "../support/traced-server.ts"; // prettier-ignore
import { until } from "../support/until.ts";

const user = makeUser(t);
const banner = `${user.home}/banner`;
writeFileSync(banner, "welcome\n");
const { program, folder } = tracedProgram(t);
const server = await TestServer.start(t, {
  program,
  config: [`Banner ${banner}`],
  hostKeys: [["ed25519"], ["rsa", "-b", "2048"], ["ecdsa"]],
});

await t.test("Connections of many kinds, a reload and a new signer are served", async (t) => {
  const data = randomBytes(4 * 1024 * 1024);
  const rekeyed = await ssh(server, user, ["cat"], { input: data, options: ["RekeyLimit=1M"] });
  t.ok(rekeyed.stdout.equals(data), "data both ways through rekeys");
  for (const host of ["rsa-sha2-512", "ecdsa-sha2-nistp256", "ssh-ed25519"])
    await ssh(server, user, ["true"], { options: [`HostKeyAlgorithms=${host}`] });
  await ssh(server, user, ["stty size; exit 3"], { flags: ["-tt"] });
  await ssh(server, user, ["sleep 0.3; head -c 100000 /dev/zero; kill -9 $$"], {});
  t.not((await ssh(server, user, ["true"], { as: "no-such-user" })).status, 0, "unknown user");
  const named = (title: string): number | undefined =>
    family(server.pid).find((found) => found.title.startsWith(`sallyportd: ${title}`))?.pid;
  const reload = async (): Promise<void> => {
    const before = server.events("listening").length;
    process.kill(Number(readFileSync(`${server.folder}/pid`, "latin1")), "SIGHUP");
    await until("it listens anew", () => server.events("listening").length > before);
  };
  await reload();
  server.port = Number(server.events("listening").at(-1)?.fields["port"]);
  const old = named("signer");
  t.ok(old, "there is a signer");
  if (old !== undefined) process.kill(old, "SIGKILL");
  await until("there is another signer", () => ![undefined, old].includes(named("signer")));
  t.equal((await ssh(server, user, ["true"])).status, 0, "a login after it");
  process.kill(Number(readFileSync(`${server.folder}/pid`, "latin1")), "SIGTERM");
  await until("the server ends", () => named("spawner") === undefined);
});

const policies: Readonly<Record<Role, Policy>> = {
  session,
  signer,
  listener,
  broker: broker({ sessionPid: 0, usesDatabaseDaemons: false }),
};
const all = confinedCalls(folder);
const roles = ["session", "broker", "signer", "listener"] as const;
/** The pid in a broker's filter is its own; strace shows other ones in other pid namespaces. Whom it may end is tested elsewhere. */
const isPid = ({ name }: ArgumentTest): boolean => name.startsWith("pid is");
const fits = ({ args = [] }: Rule, call: TracedCall): boolean =>
  args.every((test) => isPid(test) || ((call.args[test.index] ?? 0n) & test.mask) === test.value);
const text = ({ syscall, args = [], reason }: Rule): string =>
  `${syscall} (${args.map(({ name }) => name).join(", ")}): ${reason}`;

/** Rules that several policies share are one object. */
const used = new Set<Rule>();
const seen = roles.map((role) => {
  const { rules } = policies[role];
  const left = new Set<string>();
  const calls = all.filter((call) => call.role === role);
  for (const call of calls) {
    const rule = rules.find((one) => one.syscall === call.name && fits(one, call));
    if (rule === undefined)
      left.add(`${call.name}(${call.args.map((arg) => `0x${arg.toString(16)}`).join(", ")})`); // prettier-ignore
    else used.add(rule);
  }
  return { role, rules, calls: calls.length, left: [...left] };
});

for (const { role, rules, calls, left } of seen) {
  t.test(`No call of the ${role} is left to the end of its filter`, (t) => {
    t.ok(calls > 50, "its calls were seen");
    t.same(left, []);
    t.end();
  });
  t.test(`Every rule of the ${role} policy is used, or says why it is rare`, (t) => {
    const unused = rules.filter((rule) => !used.has(rule) && rule.rare === undefined);
    t.same(unused.map(text), []);
    t.end();
  });
}
