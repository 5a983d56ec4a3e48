// The exercises: a broker with a bug, a player who holds less than a login needs, and a check that says when he has one all the same.
import type { Identity } from "../ipc/worker.ts";
import { composeSignedData } from "../broker/signed-data.ts";
import { LabKey } from "./lab-key.ts";
import type { labUsers } from "./scenario.ts";
import { keyFileOf, keys, twoUsers, type Scenario } from "./scenario.ts";

export interface Exercise {
  readonly number: number;
  readonly title: string;
  /** The bug of the broker in it. */
  readonly mutant: string;
  readonly story: readonly string[];
  readonly hints: readonly string[];
  readonly scenario: Scenario;
  /** By a login that the scenario gives the player no right to; `failures` came before it in the same conversation. */
  isSolvedBy(identity: Identity, failures: number): boolean;
}

const isAlice = ({ user }: Identity): boolean => user === "alice";
/** The player has an account and its key; of alice's he knows the public one. */
const asMallory: Scenario = { ...twoUsers, held: [keys.mallory] };

const deploy = new LabKey("deploy");
const work = new LabKey("work");
const token = new LabKey("token");
/** A drawer full of old keys: one of them is alice's. */
const drawer = Array.from({ length: 12 }, (_, i) => new LabKey(`old-${i + 1}`));
const oldKeyOfAlice = drawer[8] ?? keys.alice;

const withoutSessionId = keys.alice.sign(
  composeSignedData({
    sessionId: new Uint8Array(),
    user: Buffer.from("alice"),
    service: Buffer.from("ssh-connection"),
    algorithm: "ssh-ed25519",
    blob: keys.alice.blob,
  }),
);
const files = (name: keyof typeof labUsers, text: string): ReadonlyMap<string, string> =>
  new Map([...twoUsers.files, [keyFileOf(name), text]]);

export const exercises: readonly Exercise[] = [
  {
    number: 1,
    title: "Nothing to complain about",
    mutant: "empty-answer-accepted",
    story: [
      "The broker looks for what is wrong with a signature, and decides by whether it found something.",
      "Get a login as alice. You have mallory's private key, and alice's public one.",
    ],
    hints: [
      "The way to the login is the same for everybody: messages shows what is permitted next.",
      "confined, adopted, sign, lookup-user: then publickey-sign with algorithm=ssh-ed25519 and blob=$key.alice.",
      "Which signature has nothing in it that could be wrong?",
    ],
    scenario: asMallory,
    isSolvedBy: isAlice,
  },
  {
    number: 2,
    title: "By the way, my name is",
    mutant: "user-resent",
    story: [
      "This broker takes the user's name again when it is sent again, as one did that passed it on to PAM (CVE-2015-6563).",
      "Get a login as alice. You have mallory's private key.",
    ],
    hints: [
      "Look mallory up first: his key you have.",
      "What does lookup-user do in phase authenticating?",
      "The signature is judged as the first user's; the login is the last one's.",
    ],
    scenario: asMallory,
    isSolvedBy: isAlice,
  },
  {
    number: 3,
    title: "Sounds familiar",
    mutant: "key-prefix",
    story: [
      "The broker compares the beginning of two keys and is content.",
      "Get a login as alice. You have mallory's private key.",
    ],
    hints: [
      "All keys of a type begin alike: the type's name is the first thing in them.",
      "Sign as mallory's key, for the user alice: sign-as mallory user=alice.",
    ],
    scenario: asMallory,
    isSolvedBy: isAlice,
  },
  {
    number: 4,
    title: "Foot in the door",
    mutant: "query-opens-any-key",
    story: [
      "One asks whether a key would do, and then proves to have it. This broker remembers the answer, but not which key it was about.",
      "Get a login as alice. You have mallory's private key, and alice's public one.",
    ],
    hints: [
      "publickey-query needs no private key.",
      "After an outcome of key-acceptable, sign with what you have.",
    ],
    scenario: asMallory,
    isSolvedBy: isAlice,
  },
  {
    number: 5,
    title: "Somebody else's freedom",
    mutant: "query-options-kept",
    story: [
      "You have the key `deploy`: it opens alice's account for one command and without a terminal. Her key `work` opens all of it.",
      "The broker keeps the restrictions of the key that it was asked about last (CVE-2024-45337 was of this kind).",
      "Get a shell as alice: a login without a forced command.",
    ],
    hints: [
      "An honest login with deploy shows what you get: `git-receive-pack`.",
      "$key.work is public, and may be asked about.",
    ],
    scenario: {
      ...twoUsers,
      files: files("alice", `restrict,command="git-receive-pack site.git" ${deploy.line()}${work.line()}`), // prettier-ignore
      held: [deploy],
      known: [deploy, work],
    },
    isSolvedBy: (identity) => isAlice(identity) && !identity.hasForcedCommand,
  },
  {
    number: 6,
    title: "Signed once, signed for ever",
    mutant: "session-id-unbound",
    story: [
      "For the sake of old clients this broker takes signatures that leave the session id out.",
      "Such a client logged alice in last year, and somebody kept what it sent: $recorded.alice.",
      "Get a login as alice.",
    ],
    hints: [
      "A signature is a value like others: signature=$recorded.alice.",
      "It was made with alice's key, so it is her blob that it goes with.",
    ],
    scenario: { ...asMallory, found: new Map([["recorded.alice", withoutSessionId]]) },
    isSolvedBy: isAlice,
  },
  {
    number: 7,
    title: "Both of my one keys",
    mutant: "used-key-again",
    story: [
      "AuthenticationMethods publickey,publickey: alice needs two keys, `work` and the one on her `token`. You found `work`.",
      "The broker forgets which key it has seen.",
      "Get a login as alice.",
    ],
    hints: ["The outcome partial says that one step is done.", "How many keys are two keys?"],
    scenario: {
      ...twoUsers,
      config: ["AuthenticationMethods publickey,publickey"],
      files: files("alice", `${work.line()}${token.line()}`),
      held: [work],
      known: [work, token],
    },
    isSolvedBy: isAlice,
  },
  {
    number: 8,
    title: "A drawer full of keys",
    mutant: "second-user",
    story: [
      "You found twelve old keys, old-1 to old-12. One of them still opens alice's account; nobody remembers which.",
      "MaxAuthTries is 2, so the broker ends the phase long before you are through, if it counts what it should.",
      "Get a login as alice after more failures than that: starting anew each time is what penalties are for.",
    ],
    hints: [
      "Failures are counted for a user who was looked up.",
      "What if he is looked up again, after one failure?",
      "script FILE does in a moment what is tedious to type.",
    ],
    scenario: {
      ...twoUsers,
      config: ["MaxAuthTries 2"],
      files: files("alice", oldKeyOfAlice.line()),
      held: drawer,
      known: drawer,
    },
    isSolvedBy: (identity, failures) => isAlice(identity) && failures >= 2,
  },
];
