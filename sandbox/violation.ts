// A system call that a filter has stopped: as the process itself said it before it ended (a filter that traps), or as the kernel's audit
// log tells it (a filter that kills).
import { auditArch, syscalls, x32Bit } from "./syscalls-x86-64.ts";

/** Exit status of a process that has said which call it was (native/src/violation-report.h). */
export const violationStatus = 159;
/** Of a process that a filter has killed. */
export const SIGSYS = 31;

export interface Violation {
  /** AUDIT_ARCH_*. */
  readonly arch: number;
  readonly number: number;
  /** Six registers, of which the call uses the first few; absent where only the kernel's log tells. */
  readonly args?: readonly bigint[];
}

const magic = "SIGSYS\0\0";
export const violationRecordBytes = 64;
const names: ReadonlyMap<number, string> = new Map(
  Object.entries(syscalls).map(([name, number]) => [number, name]),
);
const foreign: Readonly<Record<number, string>> = {
  0x4000_0003: "i386",
  0xc000_00b7: "aarch64",
  0x4000_0028: "arm",
};

/** The record at the beginning of `bytes`; undefined when there is none. */
export function decodeViolation(bytes: Uint8Array): Violation | undefined {
  if (bytes.length < violationRecordBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, violationRecordBytes);
  if (Buffer.from(bytes.subarray(0, magic.length)).toString("latin1") !== magic) return undefined;
  return {
    arch: view.getUint32(8, true),
    number: view.getUint32(12, true),
    args: [0, 1, 2, 3, 4, 5].map((i) => view.getBigUint64(16 + 8 * i, true)),
  };
}

/** "openat", "i386 call 5", "x32 call 59", "call 999". */
export function callName({ arch, number }: Violation): string {
  if (arch !== auditArch) return `${foreign[arch] ?? `architecture ${arch.toString(16)}`} call ${number}`; // prettier-ignore
  if (number >= x32Bit) return `x32 call ${number - x32Bit}`;
  return names.get(number) ?? `call ${number}`;
}

/** The registers, "0x0, 0x1"; "" where they are not known. */
export const callArguments = ({ args = [] }: Violation): string =>
  args.map((value) => `0x${value.toString(16)}`).join(", ");

/** "openat(0xffffff9c, ...)", or the name alone. */
export const describeCall = (violation: Violation): string =>
  violation.args === undefined
    ? callName(violation)
    : `${callName(violation)}(${callArguments(violation)})`;

/**
 * The violation in a line of the kernel's audit log (record type 1326, AUDIT_SECCOMP), with the pid of the process (in the first pid
 * namespace) and its signal; undefined for other lines. What a process chose itself (`comm`) comes after what is read here, quoted or in hex.
 */
export function parseAuditRecord(
  text: string,
): { readonly pid: number; readonly violation: Violation } | undefined {
  const fields =
    /^audit\([\d.:]+\):(?: (?:auid|uid|gid|ses|subj)=\S+)* pid=(\d+) comm=(?:"[^"]*"|[0-9A-F]+|\(null\)) exe=\S+ sig=31 arch=([0-9a-f]+) syscall=(\d+) /.exec(
      text,
    );
  if (fields === null) return undefined;
  const [, pid, arch, number] = fields;
  return {
    pid: Number(pid),
    violation: { arch: Number.parseInt(arch ?? "", 16), number: Number(number) },
  };
}
