// One measure each: run against one server, a number or two come back. Who alternates and compares is main.ts.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Memory } from "./cgroup.ts";
import { peers, type Server } from "./stage.ts";

const ssh = `${peers}/usr/bin/ssh`;

interface RunOptions {
  readonly args: readonly string[];
  readonly input?: string;
  readonly output?: string;
}
function run(
  server: Server,
  { args, input = "/dev/null", output = "/dev/null" }: RunOptions,
): Promise<void> {
  const [stdin, stdout] = [openSync(input, "r"), openSync(output, "w")];
  return new Promise((resolve, reject) => {
    const child = spawn(ssh, ["-F", server.clientConfig, ...args], {
      stdio: [stdin, stdout, "inherit"],
    });
    closeSync(stdin);
    closeSync(stdout);
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `Cannot measure ${server.name}: ssh ${args.join(" ")} ended with ${code ?? "a signal"}`,
          ),
        );
    });
  });
}

export interface Cost {
  /** Milliseconds each, of the wall clock and of the server's CPU. */
  readonly wallMs: number;
  readonly cpuMs: number;
}
/** `count` logins with `true`, `atOnce` of them side by side. */
export async function logins(server: Server, count: number, atOnce: number): Promise<Cost> {
  const cpuBefore = server.group.cpuUs();
  const began = performance.now();
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await run(server, { args: ["s", "true"] });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const wallMs = (performance.now() - began) / count;
  // What a login still does after the client has gone counts too (ends are reaped, the pool is filled again).
  await pause(300);
  return { wallMs, cpuMs: (server.group.cpuUs() - cpuBefore) / 1000 / count };
}

/** Milliseconds from the connection to SSH_MSG_USERAUTH_SUCCESS, as the client sees it. */
export function authentication(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(ssh, ["-F", server.clientConfig, "-o", "LogLevel=DEBUG1", "s", "true"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let connectedAt = 0;
    let text = "";
    child.stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (connectedAt === 0 && text.includes("Connection established"))
        connectedAt = performance.now();
      if (text.includes("Authenticated to")) {
        resolve(performance.now() - connectedAt);
        text = "";
        child.stderr.removeAllListeners("data").resume();
      }
    });
    child.once("exit", () => {
      reject(new Error(`Cannot measure ${server.name}: no authentication`));
    });
  });
}

/** Seconds for `file` to go through. */
export async function bulk(
  server: Server,
  cipher: string,
  file: string,
  direction: "download" | "upload",
): Promise<number> {
  const began = performance.now();
  if (direction === "download") await run(server, { args: ["-c", cipher, "s", `cat ${file}`] });
  else await run(server, { args: ["-c", cipher, "s", "cat > /dev/null"], input: file });
  return (performance.now() - began) / 1000;
}

/** Memory of the whole server with `count` sessions in which nothing happens. */
export async function idle(server: Server, count: number): Promise<Memory> {
  const children = [];
  const ready = [];
  for (let i = 0; i < count; i += 1) {
    const child = spawn(ssh, ["-F", server.clientConfig, "s", "echo ready; exec cat"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    children.push(child);
    ready.push(
      new Promise<void>((resolve, reject) => {
        child.stdout.once("data", () => {
          resolve();
        });
        child.once("exit", () => {
          reject(new Error(`Cannot measure ${server.name}: an idle session ended`));
        });
      }),
    );
    if (i % 8 === 7) await Promise.all(ready);
  }
  await Promise.all(ready);
  await pause(1500);
  const memory = server.group.memory((exe) => server.isServer(exe));
  for (const child of children) child.stdin.end();
  await Promise.all(
    children.filter((child) => child.exitCode === null).map((child) => once(child, "exit")),
  );
  await pause(500);
  return memory;
}
