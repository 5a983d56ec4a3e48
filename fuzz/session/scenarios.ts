// The judge's scenarios on a real machine: one user who exists, root whom nobody lets in, keys that are made for the run, and a block of Match
// for each scenario, told apart by where the client comes from.
import { randomBytes } from "node:crypto";
import { judgedScenarios, type JudgedScenario } from "../../lab/judged-scenarios.ts";
import { LabKey } from "../../lab/lab-key.ts";
import { labUsers } from "../../lab/scenario.ts";

/** Whom the sequences' "alice" is in this run. */
const labUser = labUsers.alice.name;

export interface RealScenario {
  /** What the judge knows. */
  readonly judged: JudgedScenario;
  /** Of the loopback: where its client comes from. */
  readonly address: string;
}

/** Keys of the lab are everybody's: each has a stand-in that nobody else has. */
export const ownKeys = (): ReadonlyMap<string, LabKey> =>
  new Map(labKeys.map(({ name }) => [name, new LabKey(name, randomBytes(32))]));
export const labKeys: readonly LabKey[] = judgedScenarios[0]?.known ?? [];

export function realScenario(
  scenario: JudgedScenario,
  user: string,
  uid: number,
  keys: ReadonlyMap<string, LabKey>,
): RealScenario {
  const own = (key: LabKey): LabKey => keys.get(key.name) ?? key;
  const granted = scenario.grants.get(labUser) ?? [];
  return {
    address: addressOf(scenario),
    judged: {
      ...scenario,
      // Root and everybody else is kept out by AllowUsers, and so is nobody to the judge.
      users: [{ ...labUsers.alice, name: user, uid }],
      grants: new Map([[user, granted.map((grant) => ({ ...grant, key: own(grant.key) }))]]),
      permitsRoot: false,
    },
  };
}
const addressOf = (scenario: JudgedScenario): string =>
  `127.0.1.${judgedScenarios.indexOf(scenario) + 1}`;

/** The user's authorized_keys. */
export const keyFile = (keys: ReadonlyMap<string, LabKey>): string =>
  (judgedScenarios[0]?.grants.get(labUser) ?? []).map(({ key, options }) => (keys.get(key.name) ?? key).line(options)).join(""); // prettier-ignore

/** Blocks of sshd_config. What a Match block cannot hold (PermitRootLogin of nobody who may come in) is left out. */
export const matches: readonly string[] = judgedScenarios.flatMap((scenario) => {
  const lines = scenario.config.filter((line) => !line.startsWith("PermitRootLogin"));
  return lines.length === 0 ? [] : [`Match Address ${addressOf(scenario)}`, ...lines];
});
