// Messages at the wrong time and of the wrong direction, in every state of a connection: attacks.md B1, B4, C1, D1 to D3, D10 to D12.
import t from "tap";
import { WireWriter } from "../../session/ssh/wire.ts";
import { endsEach, type HostileRow } from "../support/hostile-rows.ts";
import { RawConnection } from "../../fuzz/server/raw-connection.ts";
import { LabKey } from "../../lab/lab-key.ts";
import { ssh } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser, publicLine } from "../support/test-user.ts";

const key = new LabKey("visitor");
const user = makeUser(t);
user.authorize(key.line().trim(), publicLine(user.key));
const server = await TestServer.start(t, { config: ["MaxStartups 100", "WarmPairs 4"] });
const write = (type: number): WireWriter => new WireWriter().byte(type);
const request = (name: string, service: string, method: string): Uint8Array =>
  write(50).string(name).string(service).string(method).finish();

/** Whole messages: nothing is wrong with them but when they come and who sends them. */
const messages: Readonly<Record<string, Uint8Array>> = {
  "5 SERVICE_REQUEST": write(5).string("ssh-userauth").finish(),
  "5 SERVICE_REQUEST for ssh-connection": write(5).string("ssh-connection").finish(),
  "6 SERVICE_ACCEPT": write(6).string("ssh-userauth").finish(),
  "7 EXT_INFO": write(7).uint32(1).string("a").string("b").finish(),
  "8, which nobody has given a meaning": write(8).finish(),
  "20 KEXINIT": new Uint8Array(0), // made for each connection
  "21 NEWKEYS": write(21).finish(),
  "30 KEX_INIT": write(30).string(new Uint8Array(32).fill(9)).finish(),
  "31 KEX_REPLY": write(31).string("k").string("p").string("s").finish(),
  "34 GEX_REQUEST": write(34).uint32(2048).uint32(3072).uint32(8192).finish(),
  "50 USERAUTH_REQUEST": request(user.name, "ssh-connection", "none"),
  "51 USERAUTH_FAILURE": write(51).string("publickey").bool(false).finish(),
  "52 USERAUTH_SUCCESS": write(52).finish(),
  "53 USERAUTH_BANNER": write(53).string("hello").string("").finish(),
  "60 USERAUTH_PK_OK": write(60).string("ssh-ed25519").string(key.blob).finish(),
  "61 USERAUTH_INFO_RESPONSE": write(61).uint32(1).string("secret").finish(),
  "80 GLOBAL_REQUEST": write(80).string("keepalive@openssh.com").bool(true).finish(),
  "90 CHANNEL_OPEN": write(90).string("session").uint32(0).uint32(1 << 21).uint32(1 << 15).finish(), // prettier-ignore
  "91 CHANNEL_OPEN_CONFIRMATION": write(91).uint32(0).uint32(0).uint32(1 << 21).uint32(1 << 15).finish(), // prettier-ignore
  "93 CHANNEL_WINDOW_ADJUST": write(93).uint32(0).uint32(1).finish(),
  "94 CHANNEL_DATA": write(94).uint32(0).string("data").finish(),
  "98 CHANNEL_REQUEST": write(98).uint32(0).string("exec").bool(true).string("touch pwned").finish(), // prettier-ignore
  "99 CHANNEL_SUCCESS": write(99).uint32(0).finish(),
  "193 PONG": write(193).string("x").finish(),
  "255": write(255).finish(),
};

interface State {
  readonly name: string;
  readonly isStrict?: boolean;
  reach(raw: RawConnection): Promise<void>;
  /** Numbers that belong here. */
  readonly welcome: readonly number[];
  readonly seesAll?: boolean;
}
const identified = async (raw: RawConnection): Promise<void> => {
  raw.identify();
  await raw.until(20);
};
const offered = async (raw: RawConnection): Promise<void> => {
  await identified(raw);
  raw.sendKexInit();
};
const agreed = async (raw: RawConnection): Promise<void> => {
  await offered(raw);
  raw.send(raw.init());
  await raw.until(21);
};
const keyed = async (raw: RawConnection): Promise<void> => {
  await agreed(raw);
  raw.sendNewKeys();
};
const asked = async (raw: RawConnection): Promise<void> => {
  await keyed(raw);
  await raw.service();
};
const strictly = "strict KEX violation: unexpected packet type";
const states: readonly State[] = [
  { name: "before KEXINIT", isStrict: false, reach: identified, welcome: [20] },
  { name: "after KEXINIT", isStrict: false, reach: offered, welcome: [30] },
  { name: "after a strict KEXINIT", reach: offered, welcome: [30] },
  { name: "before NEWKEYS", isStrict: false, reach: agreed, welcome: [21] },
  { name: "before NEWKEYS, strictly", reach: agreed, welcome: [21] },
  { name: "after NEWKEYS", reach: keyed, welcome: [5, 7], seesAll: true },
  { name: "after SERVICE_ACCEPT", reach: asked, welcome: [5, 7, 50] },
  {
    name: "after USERAUTH_FAILURE",
    async reach(raw) {
      await asked(raw);
      raw.send(request(user.name, "ssh-connection", "none"));
      await raw.until(51);
    },
    welcome: [5, 7, 50],
    seesAll: true,
  },
  {
    name: "after USERAUTH_PK_OK",
    async reach(raw) {
      await asked(raw);
      const query = write(50).string(user.name).string("ssh-connection").string("publickey");
      raw.send(query.bool(false).string("ssh-ed25519").string(key.blob).finish());
      await raw.until(60);
    },
    welcome: [5, 7, 50],
  },
];

/** Strict kex (OpenSSH PROTOCOL section 1.10) names what it lets through; those have texts of their own. */
const isForeignToKex = (type: number): boolean => type !== 20 && type !== 21 && (type < 30 || type > 49); // prettier-ignore
const reached = async (state: State): Promise<RawConnection> => {
  const raw = await RawConnection.open(server.port, { isStrict: state.isStrict ?? true });
  await state.reach(raw);
  return raw;
};
const fault = { disconnect: 2, code: "connection.protocol-fault", end: "no-auth" } as const;

/** Two states see every message, the others those that have opened doors elsewhere. */
const representative = [5, 6, 7, 20, 21, 31, 50, 52, 80, 90, 98, 255];
const rows: HostileRow[] = [];
for (const state of states)
  for (const name of Object.keys(messages)) {
    const type = Number.parseInt(name, 10);
    if (state.seesAll !== true && !representative.includes(type)) continue;
    if (state.welcome.includes(type) && !name.includes("ssh-connection")) continue;
    const isStrictKex = state.name.includes("strict") && isForeignToKex(type);
    rows.push({
      name: `${name} ${state.name}`,
      ...fault,
      ...(isStrictKex ? { text: `${strictly} ${type}` } : {}),
      async act() {
        const raw = await reached(state);
        raw.send(type === 20 ? raw.offer() : (messages[name] ?? new Uint8Array(0)));
        return raw;
      },
    });
  }

/** What a state bears once and not twice, and what follows something. */
const after = (
  name: string,
  state: State | undefined,
  send: (raw: RawConnection) => void | Promise<void>,
  changes: Partial<HostileRow> = {},
): HostileRow => ({
  // prettier-ignore
  name,
  ...fault,
  async act() {
    if (state === undefined) throw new Error("There is no such state");
    const raw = await reached(state);
    await send(raw);
    return raw;
  },
  ...changes,
});
const named = (name: string): State | undefined => states.find((state) => state.name === name);
const authenticated: State = {
  name: "authenticated",
  welcome: [],
  async reach(raw) {
    await keyed(raw);
    await raw.login(user.name, key);
  },
};
const twice = (raw: RawConnection, payload: Uint8Array): void => {
  raw.send(payload);
  raw.send(payload);
};
const repeat = (raw: RawConnection, payload: Uint8Array, times: number): void => {
  for (let i = 0; i < times; i += 1) raw.send(payload);
};
/** The server ends with bytes of ours unread: its reset may overtake its SSH_MSG_DISCONNECT. */
const flood = (name: string, state: State | undefined, payload: Uint8Array, text = "without meaning"): HostileRow => // prettier-ignore
  after(`a flood of ${name}`, state, (raw) => { repeat(raw, payload, 2000); }, { text, disconnect: undefined }); // prettier-ignore
const ignore = write(2).string("").finish();
const ping = write(192).string("").finish();
const extInfo = messages["7 EXT_INFO"] ?? ignore;
rows.push(
  after("IGNORE in front of a KEXINIT with the strict marker (Terrapin)", named("before KEXINIT"), (raw) => {
    raw.send(ignore);
    raw.sendKexInit(raw.offer({ kex: ["curve25519-sha256", "kex-strict-c-v00@openssh.com"] }));
  }, { text: "KEXINIT was not the first packet" }), // prettier-ignore
  after("a thousand KEXINITs", named("before KEXINIT"), (raw) => { repeat(raw, raw.offer(), 1000); }, { disconnect: undefined }), // prettier-ignore
  after("EXT_INFO twice", named("after NEWKEYS"), (raw) => {
    twice(raw, extInfo);
  }),
  flood("PINGs before KEXINIT", named("before KEXINIT"), ping),
  flood("PINGs after NEWKEYS", named("after NEWKEYS"), ping),
  flood("IGNOREs while authenticating", named("after SERVICE_ACCEPT"), ignore),
  flood("SERVICE_REQUESTs", named("after NEWKEYS"), messages["5 SERVICE_REQUEST"] ?? ignore, "too many"), // prettier-ignore
  after("another user after the first", named("after USERAUTH_FAILURE"), (raw) => { raw.send(request("root", "ssh-connection", "none")); }, { text: "Change of username or service not allowed" }), // prettier-ignore
  after("another service after the first", named("after USERAUTH_FAILURE"), (raw) => { raw.send(request(user.name, "ssh-userauth", "none")); }, { text: "Change of username or service not allowed" }), // prettier-ignore
  after("a service that is not there", named("after SERVICE_ACCEPT"), (raw) => { raw.send(request(user.name, "ssh-none", "none")); }, { disconnect: 7 }), // prettier-ignore
  after("a channel and a command in the middle of the key exchange (CVE-2025-32433)", named("after KEXINIT"), (raw) => {
    raw.send(messages["90 CHANNEL_OPEN"] ?? ignore);
    raw.send(messages["98 CHANNEL_REQUEST"] ?? ignore);
    raw.send(raw.init());
  }), // prettier-ignore
  after("a command behind a request that has not been answered", named("after SERVICE_ACCEPT"), (raw) => {
    raw.send(request(user.name, "ssh-connection", "none"));
    raw.send(messages["90 CHANNEL_OPEN"] ?? ignore);
    raw.send(messages["98 CHANNEL_REQUEST"] ?? ignore);
  }), // prettier-ignore
  ...[
    "91 CHANNEL_OPEN_CONFIRMATION",
    "93 CHANNEL_WINDOW_ADJUST",
    "94 CHANNEL_DATA",
    "98 CHANNEL_REQUEST",
    "99 CHANNEL_SUCCESS",
    "7 EXT_INFO",
    "21 NEWKEYS",
    "30 KEX_INIT",
    "31 KEX_REPLY",
  ].map(
    (name) => after(`${name} without a cause after authentication`, authenticated, (raw) => { raw.send(messages[name] ?? ignore); }, { end: "ok" }), // prettier-ignore
  ),
  after("data inside the client's own rekeying", authenticated, (raw) => {
    raw.sendKexInit();
    raw.send(messages["90 CHANNEL_OPEN"] ?? ignore);
  }, { end: "ok" }), // prettier-ignore
  after("KEXINIT twice in a rekeying", authenticated, (raw) => { twice(raw, raw.offer()); }, { end: "ok" }), // prettier-ignore
);

await endsEach(t, server, rows);

t.test("Messages that mean nothing after authentication are answered or ignored, and no command ran", async (t) => {
  const raw = await reached(authenticated);
  t.teardown(() => raw.socket.destroy());
  const unimplemented = ["5 SERVICE_REQUEST", "6 SERVICE_ACCEPT", "8, which nobody has given a meaning", "51 USERAUTH_FAILURE", "52 USERAUTH_SUCCESS", "53 USERAUTH_BANNER", "60 USERAUTH_PK_OK", "61 USERAUTH_INFO_RESPONSE", "193 PONG", "255"]; // prettier-ignore
  for (const name of unimplemented) {
    raw.send(messages[name] ?? ignore);
    await raw.until(3);
  }
  // RFC 4252 section 5.1: silently ignored.
  raw.send(raw.signedRequest(user.name, key));
  raw.send(write(192).string("still there").finish());
  t.same(await raw.next(), write(193).string("still there").finish());
  raw.send(messages["90 CHANNEL_OPEN"] ?? ignore);
  await raw.until(91);
  raw.send(write(98).uint32(0).string("exec").bool(false).string("ls").finish());
  const listing = await raw.until(97);
  t.ok(listing);
  t.equal((await ssh(server, user, ["ls"])).stdout.toString(), "");
}); // prettier-ignore

t.test("No process has crashed, nothing is left", async (t) => {
  await server.endedConnections();
  t.same(server.events().filter(({ level }) => level === "fatal").map(({ msg }) => msg), []); // prettier-ignore
  await server.stop();
  await server.isGone();
});
