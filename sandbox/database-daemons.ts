// Whether users are looked up in files alone. What a daemon answers is asked over a socket, which the broker's filter must then permit.
import { readFileSync } from "node:fs";

/** Services that read files, or that go on without their daemon (nss_systemd: its users need no login). */
const fileServices: ReadonlySet<string> = new Set([
  "files",
  "compat",
  "db",
  "systemd",
  "altfiles",
  "extrausers",
]);
const databases: ReadonlySet<string> = new Set(["passwd", "group", "shadow", "initgroups"]);

/** By the text of nsswitch.conf(5). */
export function usesDaemons(text: string): boolean {
  return text.split("\n").some((line) => {
    const [database = "", services] = line.replace(/#.*/, "").split(":", 2);
    if (services === undefined || !databases.has(database.trim())) return false;
    const names = services
      .replace(/\[[^\]]*\]/g, " ")
      .trim()
      .split(/\s+/);
    return names.some((name) => name !== "" && !fileServices.has(name));
  });
}

/** Without the file glibc's own default holds: files. */
export function usesDatabaseDaemons(path = "/etc/nsswitch.conf"): boolean {
  try {
    return usesDaemons(readFileSync(path, "latin1"));
  } catch {
    return false;
  }
}
