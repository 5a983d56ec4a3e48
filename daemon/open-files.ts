// RLIMIT_NOFILE: the soft limit of 1024 is for programs that use select(2); a server holds a descriptor or two a connection.
import { readFileSync } from "node:fs";
import { setRlimit } from "../native/confine.ts";
import { resource } from "../sandbox/constants.ts";

export interface OpenFilesLimit {
  readonly soft: number;
  readonly hard: number;
}

export function openFilesLimit(): OpenFilesLimit {
  const limits = readFileSync("/proc/self/limits", "latin1");
  const [, soft = "1024", hard = soft] = /^Max open files +(\d+) +(\d+)/m.exec(limits) ?? [];
  return { soft: Number(soft), hard: Number(hard) };
}

export function setOpenFilesLimit({ soft, hard }: OpenFilesLimit): void {
  setRlimit(resource.nofile, soft, hard);
}

/** As far as this process may by itself. */
export function raiseOpenFilesLimit({ hard }: OpenFilesLimit): void {
  setOpenFilesLimit({ soft: hard, hard });
}
