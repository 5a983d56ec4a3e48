// The bounds that the judge holds a broker to, and what of it he looks at.
import t from "tap";
import { loadCountedBroker } from "../../fuzz/counted-broker.ts";
import { Conversation } from "../../lab/conversation.ts";
import { judgeKept } from "../../lab/judge.ts";
import { excessOf, mostKeptBytes, mostWork } from "../../lab/judged-work.ts";
import { judgedScenarios } from "../../lab/judged-scenarios.ts";
import { keptBytes } from "../../lab/kept-bytes.ts";
import { encodeLeniently } from "../../lab/message-bytes.ts";
import { requests } from "../../ipc/monitor.ts";

t.test("excessOf() names the bound that was passed, and none that was kept", (t) => {
  for (const [name, most] of Object.entries<number>({ ...mostWork }))
    t.equal(excessOf({ ...mostWork, [name]: most + 1 }), `${most + 1} ${name} for one message, ${most} at most`); // prettier-ignore
  t.equal(excessOf(mostWork), undefined);
  t.match(judgeKept(mostKeptBytes + 1), { oracle: "memory" });
  t.equal(judgeKept(mostKeptBytes), null);
  t.end();
});

t.test(
  "keptBytes() looks into everything that hangs on an object, once, and not into what is shared",
  (t) => {
    const shared = { text: "x".repeat(1000) };
    const empty = keptBytes({ shared, list: [], map: new Map() }, new Set([shared]));
    const twice = new Uint8Array(500);
    const more = { shared, list: ["y".repeat(300), twice, twice], map: new Map([["k", { deep: new Set(["z".repeat(100)]) }]]) }; // prettier-ignore
    const grown = keptBytes(more, new Set([shared])) - empty;
    t.ok(grown > 900 && grown < 1100, String(grown));
    t.end();
  },
);

t.test("A conversation sees the work of a message and what the broker keeps of it", async (t) => {
  const { code } = await loadCountedBroker();
  const [scenario] = judgedScenarios;
  if (scenario === undefined) throw new TypeError("no scenarios");
  const conversation = new Conversation(code, scenario);
  const say = (name: "confined" | "adopted" | "sign" | "lookupUser", body = {}): void => {
    conversation.send(encodeLeniently(requests[name], 0, body));
  };
  say("confined");
  say("adopted");
  conversation.takeWork();
  say("sign", { hostKeyAlgorithm: "ssh-ed25519" });
  t.match(conversation.takeWork(), { signatures: 1, answers: 1, lookups: 0, timers: 0 });
  const before = conversation.keptBytes;
  say("lookupUser", { user: "a".repeat(1000), service: "ssh-connection" });
  const { branches, ...work } = conversation.takeWork();
  t.match(work, { lookups: 1, answers: 1, lines: 1, files: 0, crypto: 0 });
  t.ok(branches > 10);
  const kept = conversation.keptBytes - before;
  t.ok(
    kept >= 2000 && kept < mostKeptBytes - before,
    `${kept}: as it was sent, and as it is shown`,
  );
});
