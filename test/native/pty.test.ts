import { execFileSync } from "node:child_process";
import t, { type Test } from "tap";
import {
  WOULD_BLOCK,
  closeFd,
  isatty,
  openFds,
  pipeFds,
  readFd,
  writeFd,
} from "../../native/descriptors.ts";
import { foregroundGroup, openPty, setTerminalModes, setWindowSize } from "../../native/pty.ts";

function pty(t: Test) {
  const made = openPty();
  t.teardown(() => {
    const open = new Set(openFds());
    for (const fd of [made.masterFd, made.slaveFd]) if (open.has(fd)) closeFd(fd);
  });
  const stty = (...args: string[]) =>
    execFileSync("stty", args, { stdio: [made.slaveFd, "pipe", "inherit"] }).toString();
  return { ...made, stty };
}
/** RFC 4254 section 8. */
function encoded(...modes: (readonly [opcode: number, value: number])[]): Uint8Array {
  const bytes = Buffer.alloc(modes.length * 5 + 1);
  modes.forEach(([opcode, value], i) => {
    bytes.writeUInt8(opcode, i * 5);
    bytes.writeUInt32BE(value, i * 5 + 1);
  });
  return bytes;
}
const [VINTR, ECHO, ICANON, OPOST, OSPEED] = [1, 53, 51, 70, 129] as const;

t.test("setTerminalModes() and setWindowSize() throw for what is no terminal", (t) => {
  const [reader, writer] = pipeFds();
  t.teardown(() => {
    closeFd(reader);
    closeFd(writer);
  });
  t.throws(
    () => {
      setTerminalModes(reader, encoded([ECHO, 0]));
    },
    { code: "ENOTTY", syscall: "tcgetattr" },
  );
  t.throws(
    () => {
      setWindowSize(reader, { columns: 80, rows: 24, widthPixels: 0, heightPixels: 0 });
    },
    { code: "ENOTTY" },
  );
  t.equal(foregroundGroup(reader), -1);
  t.end();
});

t.test("openPty() gives a terminal whose master reads the end when the slave is gone", (t) => {
  const { masterFd, slaveFd, name } = pty(t);
  t.match(name, /^\/dev\/pts\/\d+$/);
  t.ok(isatty(masterFd) && isatty(slaveFd));
  const buffer = new Uint8Array(64);
  t.equal(readFd(masterFd, buffer, 0, 64), WOULD_BLOCK);
  writeFd(slaveFd, Buffer.from("x\n"), 0, 2);
  t.equal(readFd(masterFd, buffer, 0, 64), 3, "with its carriage return");
  closeFd(slaveFd);
  t.equal(readFd(masterFd, buffer, 0, 64), 0);
  t.end();
});

t.test("setWindowSize() clamps to what the kernel holds", (t) => {
  const { slaveFd, stty } = pty(t);
  setWindowSize(slaveFd, { columns: 132, rows: 43, widthPixels: 0, heightPixels: 0 });
  t.equal(stty("size"), "43 132\n");
  setWindowSize(slaveFd, { columns: 0xffff_ffff, rows: 70_000, widthPixels: 0, heightPixels: 0 });
  t.equal(stty("size"), "65535 65535\n");
  t.throws(() => {
    setWindowSize(slaveFd, { columns: -1, rows: 1, widthPixels: 0, heightPixels: 0 });
  }, RangeError);
  t.end();
});

t.test("setTerminalModes() sets characters, flags and speeds", (t) => {
  const { slaveFd, stty } = pty(t);
  setTerminalModes(
    slaveFd,
    encoded([VINTR, 24], [ECHO, 0], [ICANON, 0], [OPOST, 0], [OSPEED, 9600]),
  );
  const all = stty("-a");
  for (const word of ["intr = ^X", "-echo ", "-icanon", "-opost", "speed 9600"]) {
    t.ok(all.includes(word), word);
  }
  setTerminalModes(slaveFd, encoded([VINTR, 255], [ECHO, 7]));
  t.ok(stty("-a").includes("intr = <undef>"), "255 is none");
  t.match(stty("-a"), /[^-]echo[ \n][\s\S]*/);
  t.end();
});

t.test(
  "setTerminalModes() skips unknown opcodes, and stops at 160, at the end and at a cut",
  (t) => {
    const { slaveFd, stty } = pty(t);
    const echoes = () => !/-echo\b(?!\w)/.test(stty("-a").replaceAll(/-echo\w+/g, ""));
    setTerminalModes(slaveFd, encoded([99, 1], [159, 1], [ECHO, 0]));
    t.notOk(echoes(), "after unknown ones");
    for (const modes of [
      encoded([160, 0], [ECHO, 1]),
      encoded([0, 0], [ECHO, 1]),
      encoded([ECHO, 1]).subarray(0, 4),
      new Uint8Array(0),
    ]) {
      setTerminalModes(slaveFd, modes);
      t.notOk(echoes());
    }
    t.end();
  },
);
