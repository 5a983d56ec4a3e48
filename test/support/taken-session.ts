// Attacks on the broker from a session process that has been taken over: rows of a table, each one connection to the patched copy of the server.
import { mkdtempSync, rmSync } from "node:fs";
import type { Test } from "tap";
import { composeSignedData, type SignedRequest } from "../../broker/signed-data.ts";
import type { Answer, Request } from "../../ipc/monitor.ts";
import { makePatchedTree } from "../../lab/patched-tree.ts";
import type { Patch } from "../../lab/patches.ts";
import { takenAddress, takeOverPatches } from "../../lab/take-over.ts";
import { TakenSessionClient, type Heard } from "../../lab/taken-session-client.ts";
import { LabKey } from "../../lab/lab-key.ts";
import { TestServer, type ServerEvent } from "./test-server.ts";
import { until } from "./until.ts";

type BodyOf<K extends Request["name"]> = Extract<Request, { name: K }>["body"];
type AnswerOf<K extends Answer["name"]> = Extract<Answer, { name: K }>["body"];

export const text = (value: string): Uint8Array => Buffer.from(value);
const none = new Uint8Array();
/** Parts of an exchange that the signer takes. */
export const exchangeParts: BodyOf<"sign"> = {
  kex: "curve25519-sha256",
  hostKeyAlgorithm: "ssh-ed25519",
  clientVersion: text("SSH-2.0-taken"),
  serverVersion: text("SSH-2.0-sallyport"),
  clientKexInit: Uint8Array.of(20),
  serverKexInit: Uint8Array.of(20),
  clientPublic: none,
  serverPublic: none,
  sharedSecret: Uint8Array.of(1),
};
/** Authorized for the user of a test by its line. */
export const attackersKey = new LabKey("attacker");

export class Attack {
  readonly client: TakenSessionClient;
  readonly user: string;
  hostKey: Uint8Array = none;
  sessionId: Uint8Array = none;
  readonly answers: Answer[] = [];

  constructor(client: TakenSessionClient, user: string) {
    this.client = client;
    this.user = user;
  }

  /** The next answer of that name; throws what else came. */
  async answer<K extends Answer["name"]>(name: K): Promise<AnswerOf<K>> {
    const heard = await this.client.next();
    if (heard.kind !== "answer" || heard.answer.name !== name)
      throw new Error(`Waited for ${name}, heard ${heard.kind === "answer" ? heard.answer.name : heard.kind}`); // prettier-ignore
    this.answers.push(heard.answer);
    return heard.answer.body as AnswerOf<K>; // by its name, which was compared
  }
  async kex(): Promise<void> {
    this.client.send("adopted", {});
    await this.answer("go");
  }
  async lookup(): Promise<void> {
    await this.kex();
    this.client.send("sign", exchangeParts);
    this.sessionId = (await this.answer("signed")).exchangeHash;
  }
  async authenticating(user = this.user): Promise<void> {
    await this.lookup();
    this.client.send("lookupUser", { user: text(user), service: text("ssh-connection") });
    await this.answer("userAccepted");
  }
  async postauth(): Promise<void> {
    await this.authenticating();
    this.login();
    await this.answer("authenticated");
  }

  /** A signature by `key` over what an honest client signs, or over something else. */
  signature(key: LabKey = attackersKey, over: Partial<SignedRequest> = {}): Uint8Array {
    const honest = {
      sessionId: this.sessionId,
      user: text(this.user),
      service: text("ssh-connection"),
    };
    const data = composeSignedData({
      ...honest,
      algorithm: "ssh-ed25519",
      blob: key.blob,
      ...over,
    });
    return key.sign(data);
  }
  login(over: Partial<BodyOf<"publickeySign">> = {}): void {
    const key = attackersKey;
    const body = { algorithm: "ssh-ed25519", blob: key.blob, hostBound: false, hostKey: none };
    this.client.send("publickeySign", { ...body, signature: this.signature(), ...over });
  }
  /** One that must fail without ending anything. */
  async fails(over: Partial<BodyOf<"publickeySign">>): Promise<void> {
    this.login(over);
    const { outcome } = await this.answer("authResult");
    if (outcome !== 0) throw new Error(`Outcome ${outcome} where failure was due`);
  }
  /** Everything until the session process is gone. */
  async rest(): Promise<Heard[]> {
    const rest: Heard[] = [];
    for (;;) {
      const heard = await this.client.next();
      if (heard.kind === "gone") return rest;
      rest.push(heard);
    }
  }
}

export interface AttackRow {
  /** Number in attacks.md part F, and what is done. */
  readonly name: string;
  act(attack: Attack): Promise<void> | void;
  /** The one event that says why it ended. */
  readonly code: string;
  readonly text: RegExp;
  /** Field `end` of the last event. */
  readonly end: string;
  /** Successes that the attacker's own key rightly got before. */
  readonly logins?: number;
}

/** A patched copy of the server; all of it is gone when the test is. */
export function startPatched(
  t: Test,
  patches: readonly Patch[],
  config: readonly string[] = [],
): Promise<TestServer> {
  const folder = mkdtempSync("/var/tmp/sallyport-taken.");
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  makePatchedTree(folder, patches);
  return TestServer.start(t, { config, program: `${folder}/bin/sallyportd` });
}

/** Listens for honest clients, and on another address for the attacker. */
export async function startTaken(
  t: Test,
  config: readonly string[] = [],
): Promise<{ server: TestServer; port: number }> {
  const addresses = [`ListenAddress ${takenAddress}`, "MaxStartups 100"];
  const server = await startPatched(t, takeOverPatches, [...addresses, ...config]);
  const listening = server.events("listening").find(({ fields }) => fields["address"] === takenAddress); // prettier-ignore
  return { server, port: Number(listening?.fields["port"]) };
}

/** Performs it, and gives all events of its connection. */
async function perform(
  row: AttackRow,
  server: TestServer,
  port: number,
  user: string,
): Promise<{ events: ServerEvent[]; problem: string; rest: Heard[] }> {
  // The kernel may give this client the port of an earlier one.
  const before = server.events("connection.ended").length;
  const client = await TakenSessionClient.connect(port);
  const attack = new Attack(client, user);
  let problem = "";
  let rest: Heard[] = [];
  try {
    await row.act(attack);
    rest = await attack.rest();
  } catch (error) {
    problem = String(error);
  }
  const own = client.port;
  client.close();
  const of = (event: ServerEvent): boolean => event.fields["remotePort"] === own || event.fields["port"] === own; // prettier-ignore
  const ended = await until("the connection ends", () => server.events("connection.ended").slice(before).find(of)); // prettier-ignore
  return { events: server.events().filter(({ connection }) => connection === ended.connection), problem, rest }; // prettier-ignore
}

/** One test for each row, one connection after the other. */
export function attackEach(
  t: Test,
  { server, port }: { server: TestServer; port: number },
  user: string,
  rows: readonly AttackRow[],
): void {
  for (const row of rows)
    t.test(`The broker ends a taken session process: ${row.name}`, async (t) => {
      const { events, problem, rest } = await perform(row, server, port, user);
      const codes = events.map(({ code, msg }) => `${code}: ${msg}`).join("; ");
      const reasons = events.filter(({ code }) => code === row.code);
      t.equal(problem, "", codes);
      t.equal(reasons.length, 1, codes);
      t.match(reasons[0]?.msg ?? "", row.text);
      const ends = events.filter(({ code }) => code === "connection.ended");
      t.strictSame(ends.map(({ fields }) => fields["end"]), [row.end]); // prettier-ignore
      const logins = row.logins ?? 0;
      t.equal(events.filter(({ code }) => code === "auth.accepted").length, logins);
      t.notOk(
        rest.some((heard) => heard.kind === "answer" && heard.answer.name === "authenticated"),
      );
      t.equal(events.filter(({ level }) => level === "fatal").length, 0);
    });
}
