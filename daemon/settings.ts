// All that a start or a reload needs to know: the flags, the configuration, and what follows from both.
import { randomBytes } from "node:crypto";
import { loadConfig, type Config } from "../config/load.ts";
import type { Flags } from "../config/flags.ts";
import type { Body } from "../ipc/protocol.ts";
import type { signerOrders } from "../ipc/signer.ts";
import { userByName } from "../native/users.ts";
import { requiredLayers } from "../sandbox/layers.ts";
import { delaySecretBytes } from "./config-snapshot.ts";
import { heapFlags } from "./heap-flags.ts";
import { openFilesLimit, type OpenFilesLimit } from "./open-files.ts";

export interface Settings {
  readonly file: string;
  readonly overrides: readonly string[];
  readonly debug: number;
  readonly config: Config;
  readonly delaySecret: Uint8Array;
  readonly openFiles: OpenFilesLimit;
  /** False with -i. */
  readonly rehearse: boolean;
  /** No flag and no keyword sets it: tools/trace/ does, in a server of its own. */
  readonly isRecorded: boolean;
  readonly warmPairs: number;
  readonly heapFlags: readonly string[];
  readonly signerLoad: Body<(typeof signerOrders)["load"]>;
}

const delaySecret = new Uint8Array(randomBytes(delaySecretBytes));
/** Read before this process raises its own. */
const openFiles = openFilesLimit();
const encoder = new TextEncoder();

/** Throws ConfigError, the file's own error, or an Error that says what the machine lacks. */
export function loadSettings(flags: Flags): Settings {
  const config = loadConfig({ file: flags.file, overrides: flags.overrides });
  const { hostKey, privsepUser, sandboxRequire, warmPairs } = config.global;
  const isRoot = process.geteuid?.() === 0;
  const user = isRoot ? userByName(privsepUser) : null;
  if (isRoot && user === null)
    throw new Error(`Privilege separation user ${privsepUser} does not exist`);
  const single = flags.inetd || flags.debug > 0;
  return {
    file: flags.file,
    overrides: flags.overrides,
    debug: flags.debug,
    config,
    delaySecret,
    openFiles,
    rehearse: !flags.inetd,
    isRecorded: false,
    warmPairs: single ? 0 : warmPairs,
    heapFlags,
    signerLoad: {
      paths: hostKey.map((path) => encoder.encode(path)),
      uid: user?.uid ?? 0,
      gid: user?.gid ?? 0,
      changeIdentity: isRoot,
      required: [...requiredLayers(sandboxRequire, isRoot)],
    },
  };
}
