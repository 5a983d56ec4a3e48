// A user of this machine for one test file, with a home and a key of their own.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { Test } from "tap";
import { killSeen, processes } from "../../lab/processes.ts";
import { makeKey, type KeyPair } from "./ssh-keys.ts";
import { until } from "./until.ts";

let count = 0;

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  /** Root's, so that the user cannot change what a test does. */
  readonly key: KeyPair;
  /** Replaces ~/.ssh/authorized_keys. */
  authorize(...lines: readonly string[]): void;
}

/** With a shell, an account that is not locked, and their key authorized; all gone, processes included, when the test is. */
export function makeUser(t: Test): TestUser {
  count += 1;
  const name = `sallyt${process.pid}x${count}`;
  const folder = mkdtempSync("/var/tmp/sallyport-user.");
  const home = `${folder}/home`;
  chmodSync(folder, 0o755);
  execFileSync("useradd", ["--create-home", "--home-dir", home, "--shell", "/bin/sh", name]);
  t.teardown(async () => {
    await until(`the processes of ${name} end`, () => {
      const left = processes().filter((found) => found.uid === uid);
      left.forEach(killSeen);
      return left.length === 0;
    });
    execFileSync("userdel", [name]);
    rmSync(folder, { recursive: true, force: true });
  });
  execFileSync("usermod", ["-p", "*", name]);
  const uid = Number(execFileSync("id", ["-u", name], { encoding: "utf8" }));
  const key = makeKey(folder, "ed25519");
  mkdirSync(`${home}/.ssh`, { mode: 0o700 });
  chownSync(`${home}/.ssh`, uid, uid);
  const authorize = (...lines: readonly string[]): void => {
    const file = `${home}/.ssh/authorized_keys`;
    writeFileSync(file, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
    chownSync(file, uid, uid);
  };
  authorize(publicLine(key));
  return { name, uid, home, key, authorize };
}

/** As it stands in authorized_keys. */
export const publicLine = (key: KeyPair): string => readFileSync(`${key.path}.pub`, "utf8").trim();
