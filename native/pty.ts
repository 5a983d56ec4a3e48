// Pseudo-terminals.
import { addon } from "./addon.ts";

export interface Pty {
  masterFd: number;
  slaveFd: number;
  /** `/dev/pts/N` */
  name: string;
}
export interface WindowSize {
  columns: number;
  rows: number;
  widthPixels: number;
  heightPixels: number;
}
const raw = addon as unknown as {
  openPty: () => Pty;
  setWindowSize: (
    fd: number,
    columns: number,
    rows: number,
    widthPixels: number,
    heightPixels: number,
  ) => void;
  setTerminalModes: (fd: number, modes: Uint8Array) => void;
  foregroundGroup: (fd: number) => number;
};

/** `openpt`, `grantpt`, `unlockpt`; both close-on-exec, the master non-blocking. The caller owns both. */
export const openPty = raw.openPty;
/** TIOCSWINSZ; values are clamped to 16 bits. */
export const setWindowSize = (fd: number, size: WindowSize): void => {
  raw.setWindowSize(fd, size.columns, size.rows, size.widthPixels, size.heightPixels);
};
/** The encoded modes of RFC 4254 section 8 applied by tcsetattr. Unknown opcodes below 160 are skipped, at 160 or more it stops. */
export const setTerminalModes = raw.setTerminalModes;
/** `tcgetpgrp`: the foreground process group, or -1. */
export const foregroundGroup = raw.foregroundGroup;
