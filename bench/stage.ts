// What both servers share in one run: a user, keys, client configuration; and the two servers, each in a control group of its own.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ControlGroup } from "./cgroup.ts";

export const peers = `${process.env["SALLYPORT_PEERS"] ?? "/var/cache/sallyport-peers"}/openssh-10.0`;
const root = fileURLToPath(new URL("../../", import.meta.url));

type ServerName = "sshd" | "sallyport" | "sallyport-fewer-layers";
export interface StartOptions {
  /** Another sallyportd than the built one. */
  readonly program?: string;
  /** Lines of sshd_config in front of the others. */
  readonly config?: readonly string[];
}
export interface Server {
  readonly name: ServerName;
  readonly group: ControlGroup;
  /** `-F` file of the client for this server. */
  readonly clientConfig: string;
  isServer(exe: string): boolean;
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  });

export class Stage {
  readonly folder = mkdtempSync("/var/tmp/sallyport-bench.");
  readonly user = `sallybench${process.pid}`;
  readonly #children: ChildProcess[] = [];
  readonly #groups: ControlGroup[] = [];

  constructor() {
    execFileSync("useradd", [
      "--create-home",
      "--home-dir",
      `${this.folder}/home`,
      "--shell",
      "/bin/sh",
      this.user,
    ]);
    execFileSync("usermod", ["-p", "*", this.user]);
    execFileSync("chmod", ["755", this.folder]);
    for (const key of ["host", "user"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${this.folder}/${key}`]);
    }
  }

  async start(
    name: ServerName,
    { program = name === "sshd" ? `${peers}/usr/sbin/sshd` : `${root}bin/sallyportd`, config = [] }: StartOptions = {}, // prettier-ignore
  ): Promise<Server> {
    const port = await freePort();
    const file = `${this.folder}/${name}`;
    const pidFile = `${file}.pid`;
    const common = [
      ...config,
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${this.folder}/host`,
      `PidFile ${pidFile}`,
      "StrictModes no",
      `AuthorizedKeysFile ${this.folder}/user.pub`,
      "MaxStartups 300:30:400",
      "MaxSessions 10",
      "LogLevel INFO",
    ];
    const sshdOnly = [
      "UsePAM no",
      "PerSourcePenalties no",
      `SshdSessionPath ${peers}/usr/lib/openssh/sshd-session`,
      `SshdAuthPath ${peers}/usr/lib/openssh/sshd-auth`,
    ];
    writeFileSync(
      `${file}.conf`,
      [...common, ...(name === "sshd" ? sshdOnly : [])].join("\n") + "\n",
    );
    writeFileSync(
      `${file}.client`,
      [
        "Host s", " HostName 127.0.0.1", ` Port ${port}`, ` User ${this.user}`, ` IdentityFile ${this.folder}/user`,
        " IdentitiesOnly yes", " BatchMode yes", " StrictHostKeyChecking no", ` UserKnownHostsFile ${file}.known`,
        " GlobalKnownHostsFile /dev/null", " LogLevel ERROR",
      ].join("\n") + "\n",
    ); // prettier-ignore
    const group = new ControlGroup(name);
    this.#groups.push(group);
    if (name === "sshd") execFileSync("mkdir", ["-p", "/run/sshd"]);
    const child = spawn(
      "sh",
      ["-c", `${group.enter}; exec ${program} -D -f ${file}.conf -E ${file}.log`],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    this.#children.push(child);
    for (let tries = 0; !existsSync(pidFile); tries += 1) {
      if (tries > 100 || child.exitCode !== null)
        throw new Error(`Cannot start ${name}: see ${file}.log`);
      await pause(100);
    }
    const isServer =
      name === "sshd"
        ? (exe: string) => exe.includes("/sshd")
        : (exe: string) => exe.endsWith("/bin/node");
    return { name, group, clientConfig: `${file}.client`, isServer };
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGTERM");
    await pause(500);
    for (const group of this.#groups) await group.end();
    execFileSync("userdel", [this.user]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
