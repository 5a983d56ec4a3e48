// RFC 4253 section 4.2; attacks.md A1 to A3.
import t from "tap";
import { Identification } from "../../../session/ssh/identification.ts";
import { attack, faultOf, RawClient } from "./raw-client.ts";
import { memoryStreamPair } from "../../../session/ssh/memory-stream.ts";
import { makeSide, serverRole, settled } from "./transport-pair.ts";

const take = (line: string, side: "server" | "client" = "server") => {
  const identification = new Identification(side);
  const bytes = Buffer.from(line, "latin1");
  return { ...identification.take(bytes, 0, bytes.length), version: identification.version() };
};

t.test("Identification refuses what is no SSH line, at its end or at 255 bytes (A1)", (t) => {
  for (const line of [
    "foo\r\n",
    "GET / HTTP/1.0\r\n",
    "\r\n",
    "\n",
    "ssh-2.0-x\r\n",
    " SSH-2.0-x\r\n",
    "SSH-2.0\r\n",
    "SSH-2.0-\r\n",
    "SSH--2.0-x\r\n",
    "SSH-2.x-y\r\n",
    "SSH-999999999999.0-y\r\n",
    "SSH-2.0-a\rb\r\n",
    "SSH-2.0-a\0b\r\n",
    "\0",
    "S".repeat(255),
    `SSH-2.0-${"x".repeat(247)}`,
    `SSH-2.0-${"x".repeat(246)}\n`,
  ]) {
    t.throws(
      () => take(line),
      { code: "BAD_IDENTIFICATION", tell: "Invalid SSH identification string." },
      JSON.stringify(line),
    );
  }
  t.end();
});

t.test("Identification refuses other protocol versions with sshd's words", (t) => {
  for (const [line, major] of [
    ["SSH-1.5-x\r\n", 1],
    ["SSH-1.0-x\r\n", 1],
    ["SSH-3.0-x\r\n", 3],
    ["SSH-0.9-x\r\n", 0],
  ] as const) {
    t.throws(() => take(line), {
      code: "VERSION_MISMATCH",
      message: `Protocol major versions differ: 2 vs. ${major}`,
      tell: "Protocol major versions differ.",
      disconnectReason: 8,
    });
  }
  t.end();
});

t.test("Identification takes 2.0, 1.99, both line ends, and 253 bytes", (t) => {
  for (const text of ["SSH-2.0-x", "SSH-1.99-x", "SSH-2.0-x y z", `SSH-2.0-${"x".repeat(245)}`]) {
    for (const end of ["\r\n", "\n"]) {
      const { complete, consumed, version } = take(`${text}${end}next`);
      t.ok(complete);
      t.equal(consumed, text.length + end.length, "what follows is left");
      t.equal(Buffer.from(version).toString("latin1"), text);
    }
  }
  t.end();
});

t.test("Identification lets a server say other lines first, up to a bound", (t) => {
  t.ok(take("Welcome\r\nto this\r\nSSH-2.0-x\r\n", "client").complete);
  t.throws(() => take("x\r\n".repeat(4000), "client"), { code: "BAD_IDENTIFICATION" });
  t.end();
});

t.test("Identification keeps what was said escaped in its fault (A3)", (t) => {
  t.throws(() => take("\x1b]0;x\x07Accepted password\x9b\r\n"), {
    message: 'client sent invalid protocol identifier "\\u001b]0;x\\u0007Accepted password\\u009b"',
  });
  t.end();
});

t.test(
  "Transport closes at the first line that is not SSH, and keeps none of what follows (A1)",
  async (t) => {
    const [a, b] = memoryStreamPair();
    const server = makeSide(a, serverRole());
    server.transport.start();
    const flood = Buffer.from("foo\r\n".repeat(10_000));
    b.write(flood, 0, flood.length);
    await settled();
    t.equal(faultOf(server), "BAD_IDENTIFICATION");
  },
);

t.test("Transport tells the client in plain text, behind its own line", async (t) => {
  for (const [line, text] of [
    ["GET / HTTP/1.0\r\n\r\n", "Invalid SSH identification string."],
    ["x".repeat(300), "Invalid SSH identification string."],
    ["SSH-1.5-x\r\n", "Protocol major versions differ."],
  ] as const) {
    const [a, b] = memoryStreamPair();
    const server = makeSide(a, serverRole());
    server.transport.start();
    b.write(Buffer.from(line), 0, line.length);
    await settled();
    const said = new Uint8Array(1000);
    const length = b.read(said, 0, said.length);
    t.equal(Buffer.from(said.subarray(0, length)).toString(), `SSH-2.0-test_server\r\n${text}\r\n`);
  }
});

t.test(
  "Transport takes the client's line and KEXINIT in one segment, and its line byte by byte",
  async (t) => {
    const { raw, server } = attack();
    for (const character of "SSH-2.0-raw\r") await raw.raw(character);
    t.equal(faultOf(server), "still running");
    await raw.raw("\n");
    await raw.exchange({ kex: ["curve25519-sha256"] });
    t.ok(raw instanceof RawClient && server.isEstablished);
    t.equal(Buffer.from(server.transport.peerVersion).toString(), "SSH-2.0-raw");
  },
);
