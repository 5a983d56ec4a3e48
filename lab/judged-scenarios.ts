// Scenarios of which everything is known: who may log in with which key, and what he gets. The key files are made from that knowledge.
import type { UserRecord } from "../broker/world.ts";
import { LabKey } from "./lab-key.ts";
import { keyFileOf, labUsers, type Scenario } from "./scenario.ts";

/** A key in a user's file. */
export interface Grant {
  readonly key: LabKey;
  /** In front of it in authorized_keys. */
  readonly options: string;
  /** False: the options keep this connection out. */
  readonly isUsable: boolean;
  readonly forcedCommand?: string;
  readonly permitPty: boolean;
}
export interface JudgedScenario extends Scenario {
  readonly name: string;
  readonly grants: ReadonlyMap<string, readonly Grant[]>;
  readonly maxAuthTries: number;
  /** Keys that a login takes. */
  readonly steps: number;
  readonly permitsRoot: boolean;
  readonly algorithms: readonly string[];
}

const all = ["plain", "git", "away", "expired", "bare", "evil", "root", "locked", "stranger"].map((name) => new LabKey(name)); // prettier-ignore
const key = (name: string): LabKey => {
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw new TypeError(`No lab key ${name}`);
  return found;
};
const grant = (name: string, options = "", more: Partial<Grant> = {}): Grant => ({
  key: key(name),
  options,
  isUsable: true,
  permitPty: true,
  ...more,
});
const locked: UserRecord = {
  ...labUsers.mallory,
  name: "locked",
  uid: 1002,
  unusable: "User locked not allowed because account is locked",
};

/** More lines about one key than are told. */
const crowd = Array.from({ length: 8 }, () => grant("away", 'from="198.51.100.0/24"', { isUsable: false })); // prettier-ignore

const grants: ReadonlyMap<string, readonly Grant[]> = new Map([
  [
    "alice",
    [
      grant("plain"),
      grant("git", 'command="git",no-pty', { forcedCommand: "git", permitPty: false }),
      grant("away", 'from="198.51.100.0/24"', { isUsable: false }),
      grant("expired", 'expiry-time="20200101Z"', { isUsable: false }),
      grant("bare", "no-pty", { permitPty: false }),
      grant("evil", 'environment="LD_PRELOAD=/tmp/evil.so"'),
    ],
  ],
  ["root", [grant("root")]],
  ["locked", [grant("locked")]],
]);
const filesOf = (all: typeof grants): ReadonlyMap<string, string> =>
  new Map(
    [...all].map(([user, list]) => [
      user === "locked" ? keyFileOf("mallory") : keyFileOf(user === "root" ? "root" : "alice"),
      list.map((each) => each.key.line(each.options)).join(""),
    ]),
  );
const crowded = new Map([...grants, ["alice", [grant("plain"), ...crowd]]]);

const base: JudgedScenario = {
  name: "plain",
  config: [],
  users: [labUsers.alice, labUsers.root, locked],
  files: filesOf(grants),
  held: all,
  known: all,
  found: new Map(),
  grants,
  maxAuthTries: 6,
  steps: 1,
  permitsRoot: true,
  algorithms: ["ssh-ed25519"],
};
export const judgedScenarios: readonly JudgedScenario[] = [
  base,
  { ...base, name: "two tries", config: ["MaxAuthTries 2", "PermitRootLogin no"], maxAuthTries: 2, permitsRoot: false }, // prettier-ignore
  { ...base, name: "two keys", config: ["AuthenticationMethods publickey,publickey"], steps: 2 },
  { ...base, name: "RSA only", config: ["PubkeyAcceptedAlgorithms rsa-sha2-512"], algorithms: [] },
  { ...base, name: "crowded", grants: crowded, files: filesOf(crowded) },
];
