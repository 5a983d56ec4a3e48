// What a conversation with the lab's broker finds: a configuration, users with their key files, and the keys that the player holds.
import type { UserRecord } from "../broker/world.ts";
import { LabKey } from "./lab-key.ts";

export interface Scenario {
  /** Lines of sshd_config. */
  readonly config: readonly string[];
  readonly users: readonly UserRecord[];
  /** Path to the text of an authorized_keys file. */
  readonly files: ReadonlyMap<string, string>;
  /** Private keys that the player has. */
  readonly held: readonly LabKey[];
  /** Public keys that everybody knows, the held ones among them. */
  readonly known: readonly LabKey[];
  /** What else the player has found, by the name of its variable. */
  readonly found: ReadonlyMap<string, Uint8Array>;
}

const user = (name: string, uid: number): UserRecord => ({
  name,
  uid,
  gid: uid,
  groups: [uid],
  groupNames: [name],
  home: uid === 0 ? "/root" : `/home/${name}`,
  shell: "/bin/sh",
});
export const labUsers = {
  alice: user("alice", 1000),
  mallory: user("mallory", 1001),
  root: user("root", 0),
} as const;
export const keyFileOf = (name: keyof typeof labUsers): string =>
  `${labUsers[name].home}/.ssh/authorized_keys`;

export const keys = {
  alice: new LabKey("alice"),
  mallory: new LabKey("mallory"),
} as const;

/** Where the exercises begin: two users with a key each, and both keys are the player's. */
export const twoUsers: Scenario = {
  config: [],
  users: Object.values(labUsers),
  files: new Map([
    [keyFileOf("alice"), keys.alice.line()],
    [keyFileOf("mallory"), keys.mallory.line()],
  ]),
  held: [keys.alice, keys.mallory],
  known: [keys.alice, keys.mallory],
  found: new Map(),
};
