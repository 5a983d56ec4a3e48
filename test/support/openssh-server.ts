// The real sshd, OpenSSH 10.0p1 of install-peers, for tests that compare: same user, same key, on a free port of the loopback.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Test } from "tap";
import { freePort } from "./free-port.ts";
import { openSockets } from "../../lab/processes.ts";
import { makeKey } from "./ssh-keys.ts";
import { until } from "./until.ts";

const peers = `${process.env["SALLYPORT_PEERS"] ?? "/var/cache/sallyport-peers"}/openssh-10.0`;

export interface OpenSshServer {
  readonly port: number;
  /** Of the listener. */
  readonly pid: number;
  /** What -E wrote, lines without their CR. */
  log(): string;
}

/** Its port. It listens when this resolves, and ends when the test does. */
export const startSshd = async (t: Test): Promise<number> => (await startOpenSshServer(t)).port;

/** `config` stands in front of the usual lines. Listens when this resolves; ends when the test does. */
export async function startOpenSshServer(
  t: Test,
  config: readonly string[] = [],
): Promise<OpenSshServer> {
  const folder = mkdtempSync("/var/tmp/sallyport-sshd.");
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const port = await freePort();
  const lines = [
    ...config,
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${makeKey(folder, "ed25519").path}`,
    `PidFile ${folder}/pid`,
    "UsePAM no",
    "PerSourcePenalties no",
    `SshdSessionPath ${peers}/usr/lib/openssh/sshd-session`,
    `SshdAuthPath ${peers}/usr/lib/openssh/sshd-auth`,
  ];
  writeFileSync(`${folder}/config`, `${lines.join("\n")}\n`);
  const program = `${peers}/usr/sbin/sshd`;
  execFileSync(program, ["-t", "-f", `${folder}/config`]);
  const child = spawn(program, ["-D", "-f", `${folder}/config`, "-E", `${folder}/log`], {
    stdio: "ignore",
  });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  });
  await until("sshd listens", () => {
    if (child.exitCode !== null) throw new Error(`sshd ended: ${readFileSync(`${folder}/log`, "latin1")}`); // prettier-ignore
    return openSockets(port) > 0;
  });
  const log = (): string => readFileSync(`${folder}/log`, "latin1").replaceAll("\r\n", "\n");
  return { port, pid: child.pid ?? 0, log };
}
