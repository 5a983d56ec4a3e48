// Keys and signatures made by ssh-keygen, which nobody here wrote: what our parsers and signers are held against.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";

/** A directory that is gone when the test is. */
export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-test-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** What ssh-keygen printed; throws when it failed. */
export function sshKeygen(args: readonly string[], input = ""): string {
  const ran = spawnSync("ssh-keygen", args, { input, encoding: "utf8", timeout: 60_000 });
  if (ran.status !== 0) throw new Error(`ssh-keygen ${args.join(" ")}: ${ran.stderr}`);
  return ran.stdout;
}

export interface KeyPair {
  /** Of the private key; the public one is beside it, with `.pub`. */
  readonly path: string;
  readonly blob: Uint8Array;
}
let made = 0;
/** `kind` as in `ssh-keygen -t`; `more` are further arguments, such as `-b 2048`. */
export function makeKey(folder: string, kind: string, ...more: readonly string[]): KeyPair {
  made += 1;
  const path = join(folder, `${kind}-${made}`);
  sshKeygen(["-q", "-t", kind, "-N", "", "-C", "", "-f", path, ...more]);
  const [, base64 = ""] = readFileSync(`${path}.pub`, "utf8").split(" ");
  return { path, blob: Buffer.from(base64, "base64") };
}

/** A string of RFC 4251 section 5. */
export function string(content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
