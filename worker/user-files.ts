// Small files that decide how a login looks. All are read as the user.
import { existsSync, readFileSync } from "node:fs";
import { matchesPatternList } from "../config/patterns.ts";

const maxEnvironmentLines = 1000;

/** ~/.ssh/environment, where PermitUserEnvironment takes it: lines of NAME=value. */
export function userEnvironment(home: string, permit: string): Uint8Array[] {
  if (permit === "no") return [];
  let text: string;
  try {
    text = readFileSync(`${home}/.ssh/environment`, "latin1");
  } catch {
    return [];
  }
  const names = permit === "yes" ? undefined : permit.split(",");
  return text
    .split("\n")
    .slice(0, maxEnvironmentLines)
    .filter((line) => /^[^#\s=][^=]*=/.test(line))
    .filter(
      (line) => names === undefined || matchesPatternList(line.slice(0, line.indexOf("=")), names),
    )
    .map((line) => Buffer.from(line, "latin1"));
}

/** /etc/motd for a login shell on a terminal, unless ~/.hushlogin says otherwise. */
export function messageOfTheDay(home: string): Uint8Array {
  try {
    return existsSync(`${home}/.hushlogin`) ? new Uint8Array() : readFileSync("/etc/motd");
  } catch {
    return new Uint8Array();
  }
}

/** Nobody but root logs in while this file is there (nologin(5)). */
export const nologinFile = "/etc/nologin";
export const loginsAreClosed = (uid: number): boolean => uid !== 0 && existsSync(nologinFile);
