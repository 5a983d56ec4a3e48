// Fields whose lengths lie, over TCP: attacks.md A6. Some of each message; test/session/fields.test.ts has them all, in memory.
import t from "tap";
import { referenceSeal } from "../../fuzz/server/reference-cipher.ts";
import { endsEach, type HostileRow } from "../support/hostile-rows.ts";
import { cipher, early, late, mac, type Place } from "../../fuzz/server/message-tables.ts";
import { statusOf } from "../../lab/processes.ts";
import { RawConnection } from "../../fuzz/server/raw-connection.ts";
import { LabKey } from "../../lab/lab-key.ts";
import { spoil, type Spoiled } from "../support/spoiled-messages.ts";
import { ssh } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser, publicLine } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const key = new LabKey("visitor");
const user = makeUser(t);
user.authorize(key.line().trim(), publicLine(user.key));
const server = await TestServer.start(t, {
  config: ["MaxStartups 100", "WarmPairs 4", "MaxAuthTries 100"],
});

const places: Readonly<Record<Place, (raw: RawConnection) => Promise<void> | void>> = {
  async identified(raw) {
    raw.identify();
    await raw.until(20);
  },
  async offered(raw) {
    await places.identified(raw);
    raw.sendKexInit();
  },
  async agreed(raw) {
    await places.offered(raw);
    raw.send(raw.init());
    await raw.until(21);
  },
  async keyed(raw) {
    await places.agreed(raw);
    raw.sendNewKeys();
  },
  async asked(raw) {
    await places.keyed(raw);
    await raw.service();
  },
  async authenticated(raw) {
    await places.keyed(raw);
    await raw.login(user.name, key);
  },
  async opened(raw) {
    await places.authenticated(raw);
    raw.send(Buffer.from("5a0000000773657373696f6e000000000020000000008000", "hex"));
    await raw.until(91);
  },
};
const reach = async (place: Place): Promise<RawConnection> => {
  const raw = await RawConnection.open(server.port, { suite: { cipher, mac } });
  await places[place](raw);
  return raw;
};

/** The few that are no faults of form alone. */
function exception(name: string): Partial<HostileRow> {
  if (/^KEXINIT, string [1-8] empty$/.test(name)) return { disconnect: 3, code: "connection.no-common-algorithm" }; // prettier-ignore
  if (name === "KEX_INIT, string 1 empty") return { disconnect: 3 };
  return /^USERAUTH_REQUEST.*string 2 empty$/.test(name) ? { disconnect: 7 } : {};
}
/** So many of them, from other places for each message. */
function some(spoiled: readonly Spoiled[], count: number, turn: number): readonly Spoiled[] {
  const step = Math.max(1, Math.floor(spoiled.length / count));
  return spoiled.filter((_, i) => (i + turn) % step === 0).slice(0, count);
}
let turn = 0;
const rows = (tables: typeof early, count: number, end: string): HostileRow[] =>
  tables.flatMap(([place, messages]) =>
    messages
      .flatMap((message) => {
        turn += 1;
        return some(spoil(message).filter(({ outcome }) => outcome === "fault"), count, turn); // prettier-ignore
      })
      .map(({ name, payload }) => ({
        name,
        disconnect: 2,
        code: "connection.protocol-fault",
        end,
        async act() {
          const raw = await reach(place);
          raw.send(payload);
          return raw;
        },
        ...exception(name),
      })),
  );

// First: tap ends the file once a test is over and none waits.
await endsEach(t, server, [...rows(early, 3, "no-auth"), ...rows(late, 2, "ok")]);

t.test("Packets that are announced at their largest cost no memory before they have come", async (t) => {
  const peers = await Promise.all(Array.from({ length: 6 }, () => reach("keyed")));
  const sessions = server.children("session").filter(({ title }) => title.includes("[preauth]"));
  t.equal(sessions.length, peers.length);
  const rss = (): number => sessions.reduce((sum, { pid }) => sum + Number.parseInt(statusOf(pid, "VmRSS"), 10), 0); // prettier-ignore
  const before = rss();
  for (const raw of peers) {
    // The largest packet, of which 4 KiB come.
    const spec = raw.outgoing;
    if (spec === null) throw new Error("There are no keys");
    raw.bytes(referenceSeal(spec, new Uint8Array(4096).fill(2), 0, { length: 256 * 1024 - 4 }));
  }
  await until("all has been read", () => peers.every(({ socket }) => socket.bytesWritten > 4096));
  await ssh(server, user, ["true"]);
  t.ok(rss() - before < 1024 * peers.length, `${rss() - before} KiB more in ${peers.length}`);
  for (const { socket } of peers) socket.destroy();
}); // prettier-ignore

t.test("No process has crashed, and the next login works", async (t) => {
  const ended = await ssh(server, user, ["echo in"]);
  t.equal(ended.stdout.toString(), "in\n", ended.stderr);
  await server.endedConnections();
  t.same(server.events().filter(({ level }) => level === "fatal").map(({ msg }) => msg), []); // prettier-ignore
  await server.stop();
  await server.isGone();
});
