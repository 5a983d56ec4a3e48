import t from "tap";
import {
  decodeSnapshot,
  encodeSnapshot,
  type ConfigSnapshot,
} from "../../daemon/config-snapshot.ts";

const snapshot: ConfigSnapshot = {
  file: "/etc/ssh/sshd_config",
  overrides: ["Port 2222", 'Banner "a b"'],
  sources: [
    { path: "/etc/ssh/sshd_config", content: "Include /etc/ssh/d/*\n# café\n" },
    { path: "/etc/ssh/d/one", content: "" },
  ],
  debug: 2,
  rehearse: true,
  isRecorded: true,
  delaySecret: new Uint8Array(32).fill(7),
  openFiles: { soft: 1024, hard: 524_288 },
};

t.test("decodeSnapshot() refuses a snapshot cut anywhere", (t) => {
  const whole = encodeSnapshot(snapshot);
  for (let length = 0; length < whole.length; length += 1)
    t.throws(() => decodeSnapshot(whole.subarray(0, length)), { name: /Error|PeerFault/ });
  t.end();
});

t.test("decodeSnapshot() refuses bytes after its end", (t) => {
  t.throws(() => decodeSnapshot(Buffer.concat([encodeSnapshot(snapshot), Buffer.of(0)])), {
    code: "TRAILING_BYTES",
  });
  t.end();
});

t.test("decodeSnapshot() gives what encodeSnapshot() was given", (t) => {
  t.same(decodeSnapshot(encodeSnapshot(snapshot)), snapshot);
  t.end();
});
