// Which call a filter stopped: read from the record of a filter that traps, and from the kernel's audit records.
import t from "tap";
import { callArguments, callName, decodeViolation, describeCall, parseAuditRecord, violationRecordBytes } from "../../sandbox/violation.ts"; // prettier-ignore
import { auditArch, syscalls } from "../../sandbox/syscalls-x86-64.ts";

const record = (magic: string, arch: number, number: number, args: readonly bigint[]): Buffer => {
  const bytes = Buffer.alloc(violationRecordBytes);
  bytes.write(magic, "latin1");
  bytes.writeUInt32LE(arch, 8);
  bytes.writeUInt32LE(number, 12);
  args.forEach((value, i) => bytes.writeBigUInt64LE(value, 16 + 8 * i));
  return bytes;
};
const audit = (rest: string): string =>
  `audit(1795476221.128:65): auid=4294967295 uid=999 gid=995 ses=4294967295 ${rest}`;
const killed = "sig=31 arch=c000003e syscall=46 compat=0 ip=0x7f8274f28c4d code=0x80000000";

t.test("decodeViolation() refuses what is too short, or has another beginning", (t) => {
  const whole = record("SIGSYS\0\0", auditArch, syscalls.openat, []);
  t.equal(decodeViolation(whole.subarray(0, 63)), undefined);
  t.equal(decodeViolation(new Uint8Array(0)), undefined);
  t.equal(decodeViolation(record("SIGSEGV\0", auditArch, 1, [])), undefined);
  t.end();
});

t.test("decodeViolation() reads number and registers", (t) => {
  const args = [0xffff_ff9cn, 1n, 2n, 3n, 4n, 0xffff_ffff_ffff_ffffn];
  const violation = decodeViolation(record("SIGSYS\0\0", auditArch, syscalls.openat, args));
  t.same(violation?.args, args);
  t.equal(
    violation && describeCall(violation),
    "openat(0xffffff9c, 0x1, 0x2, 0x3, 0x4, 0xffffffffffffffff)",
  );
  t.end();
});

t.test("callName() tells calls of other architectures apart, and numbers without a name", (t) => {
  t.equal(callName({ arch: 0x4000_0003, number: 5 }), "i386 call 5");
  t.equal(callName({ arch: 0x1234, number: 5 }), "architecture 1234 call 5");
  t.equal(callName({ arch: auditArch, number: 0x4000_0000 + 59 }), "x32 call 59");
  t.equal(callName({ arch: auditArch, number: 9999 }), "call 9999");
  t.equal(callName({ arch: auditArch, number: syscalls.sendmsg }), "sendmsg");
  t.equal(callArguments({ arch: auditArch, number: 1 }), "");
  t.end();
});

t.test("parseAuditRecord() reads the kernel's record of a kill", (t) => {
  const line = audit(`pid=16309 comm=73616C6C79 exe="/opt/bin/node" ${killed}`);
  t.same(parseAuditRecord(line), { pid: 16_309, violation: { arch: auditArch, number: 46 } });
  const labelled = audit(`subj=unconfined pid=7 comm="node" exe="/n" ${killed}`);
  t.match(parseAuditRecord(labelled), { pid: 7 });
  t.end();
});

t.test("parseAuditRecord() takes no other record, and nothing that a process chose", (t) => {
  for (const line of [
    "",
    audit(`pid=1 comm="x" exe="/n" ${killed.replace("sig=31", "sig=0")}`),
    audit(`pid=1 comm="a pid=2 comm="b" exe="/n" ${killed}`),
    `x ${audit(`pid=1 comm="x" exe="/n" ${killed}`)}`,
    audit(`pid=1 uid=0 old=1 res=1`),
  ])
    t.equal(parseAuditRecord(line), undefined, line);
  const sly = audit(`pid=1 comm="pid=2" exe="/n" ${killed}`);
  t.equal(parseAuditRecord(sly)?.pid, 1);
  t.end();
});
