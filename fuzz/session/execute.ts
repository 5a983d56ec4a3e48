// One execution: a connection, a session process in the attacker's hands, a sequence, and what the server says of it afterwards.
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Finding } from "../../lab/judge.ts";
import { TakenSessionClient } from "../../lab/taken-session-client.ts";
import { nameOf, type Sequence } from "../sequence.ts";
import { anonymousBytes, maxBrokerBytes, whereabouts } from "./health.ts";
import { patienceMs, SessionPlay } from "./play.ts";
import { realScenario } from "./scenarios.ts";
import type { FuzzedServer } from "./server.ts";
import { StandIns } from "./stand-ins.ts";
import { verdictOf, type Verdict } from "./verdict.ts";

export interface SessionExecution extends Verdict {
  readonly messages: number;
  /** The most that the broker had, as far as it was looked at; bytes. */
  readonly brokerBytes: number;
}

const lookEveryMs = 5;

/** A session process says that it is confined, and is verified, before anybody can take it over: that message is said already. */
function afterConfined({ moves }: Sequence): Sequence["moves"] {
  const [first, ...rest] = moves;
  return first?.kind === "send" && nameOf(first.bytes) === "confined" ? rest : moves;
}

/** The user of a process, by /proc: of a login that becomes the user, once it is no more root. Undefined when it is gone before. */
async function userOf(pid: number): Promise<number | undefined> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    let uid: number;
    try {
      const status = readFileSync(`/proc/${pid}/status`, "latin1");
      uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]);
    } catch {
      return undefined;
    }
    if (uid !== 0) return uid;
    await pause(lookEveryMs);
  }
  return 0;
}

function connectTo(server: FuzzedServer, address: string): Promise<TakenSessionClient | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => {
      resolve(null);
    }, patienceMs);
  });
  return Promise.race([TakenSessionClient.connect(server.own.port, address), late]).finally(() => {
    clearTimeout(timer);
  });
}

export async function executeSession(
  server: FuzzedServer,
  sequence: Sequence,
): Promise<SessionExecution> {
  const { judged, address } = realScenario(sequence.scenario, server.user, server.uid, server.keys);
  const nothing = { brokenBy: -1, pairs: [], features: [], transitions: [], messages: 0, brokerBytes: 0 }; // prettier-ignore
  server.forget();
  let client: TakenSessionClient | null;
  try {
    client = await connectTo(server, address);
  } catch (error) {
    // The listener is gone, or has no session process to give.
    const text = error instanceof Error ? error.message : String(error);
    return { ...nothing, finding: (await server.takeFinding()) ?? { oracle: "refused", text } };
  }
  if (client === null)
    return { ...nothing, finding: { oracle: "silence", text: "a client was given no session process" } }; // prettier-ignore
  try {
    return await converse(server, client, sequence, judged, address);
  } finally {
    client.close();
  }
}

async function converse(
  server: FuzzedServer,
  client: TakenSessionClient,
  sequence: Sequence,
  judged: ReturnType<typeof realScenario>["judged"],
  address: string,
): Promise<SessionExecution> {
  const peer = `${address} port ${client.port}`;
  const accepted = await server.event("connection.accepted", client.port);
  const broker = accepted?.pid ?? 0;
  const standIns = new StandIns(server.user, server.keys, server.sharedSecret, peer);
  let brokerBytes = 0;
  let found: Finding | null = null;
  const look = (): void => {
    brokerBytes = Math.max(brokerBytes, anonymousBytes(broker));
  };
  const play = await new SessionPlay(client, standIns, look).play(
    afterConfined(sequence),
    async () => {
      const forked = await server.event("login.forked", client.port);
      const pid = Number(/\d+$/.exec(forked?.msg ?? "")?.[0]);
      const uid = await userOf(pid);
      if (uid !== undefined && uid !== server.uid) found = { oracle: "one-user", text: `the login of ${server.user} (${server.uid}) runs as ${uid}` }; // prettier-ignore
    },
  );
  const messages = play.steps.length;
  if (play.problem?.oracle === "silence") {
    const text = `${play.problem.text}: broker ${whereabouts(broker)}`;
    return { finding: { oracle: "silence", text }, brokenBy: messages - 1, pairs: [], features: [], transitions: [], messages, brokerBytes }; // prettier-ignore
  }
  const events = await server.connection(client.port, address);
  const verdict = verdictOf(play, events ?? [], judged, peer);
  if (brokerBytes > maxBrokerBytes) found ??= { oracle: "memory", text: `a broker has ${brokerBytes} bytes of its own; the bound is ${maxBrokerBytes}` }; // prettier-ignore
  const finding = (await server.takeFinding()) ?? verdict.finding ?? found;
  const brokenBy = finding !== null && verdict.brokenBy < 0 ? messages - 1 : verdict.brokenBy;
  return { ...verdict, finding, brokenBy, messages, brokerBytes };
}
