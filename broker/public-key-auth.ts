// The publickey method: may this key be used, and is this signature its own? Decided from files and numbers that the broker reads itself.
import type { ServerOptions } from "../config/options.ts";
import { matchesAddressList } from "../config/patterns.ts";
import { PeerFault } from "../ipc/peer-fault.ts";
import {
  describeKey,
  parsePublicKey,
  signatureAlgorithms,
  type PublicKey,
} from "../ipc/public-key.ts";
import { verifySignature } from "../ipc/signature.ts";
import { findKey, type SkippedLine } from "./authorized-keys.ts";
import { expandKeyPath } from "./key-file.ts";
import type { KeyOptions } from "./key-options.ts";
import type { LogEvent, UserRecord, World } from "./world.ts";

export interface KeyAttempt {
  readonly algorithm: string;
  readonly blob: Uint8Array;
}
export interface AcceptedKey {
  readonly key: PublicKey;
  readonly options: KeyOptions;
}

/** The key of an attempt, or null when policy or form refuses it. The algorithm is looked at before the key is parsed. */
export function keyOfAttempt(attempt: KeyAttempt, options: ServerOptions): PublicKey | null {
  if (
    !options.pubkeyAuthentication ||
    !options.pubkeyAcceptedAlgorithms.includes(attempt.algorithm)
  )
    return null;
  try {
    const key = parsePublicKey(attempt.blob);
    if (!signatureAlgorithms[key.type].includes(attempt.algorithm)) return null;
    return key.type === "ssh-rsa" && key.modulusBits < options.requiredRsaSize ? null : key;
  } catch (error) {
    if (error instanceof PeerFault) return null;
    throw error;
  }
}

/** sshd knows these by name too; a client may offer them, and no configuration of ours accepts them. */
const knownAlgorithms: ReadonlySet<string> = new Set([
  ...Object.values(signatureAlgorithms).flat(),
  "ssh-rsa",
]);

/** What sshd's log says when `keyOfAttempt` is null (auth2-pubkey.c, userauth_pubkey). The algorithm's name is the client's. */
export function refusalOfAttempt(
  { algorithm, blob }: KeyAttempt,
  options: ServerOptions,
): Pick<LogEvent, "level" | "text"> {
  const said = (level: LogEvent["level"], text: string) => ({ level, text });
  if (!knownAlgorithms.has(algorithm) && !algorithm.endsWith("-cert-v01@openssh.com"))
    return said("verbose", `userauth_pubkey: unsupported public key algorithm: ${algorithm}`);
  if (!options.pubkeyAcceptedAlgorithms.includes(algorithm)) {
    const text = `userauth_pubkey: signature algorithm ${algorithm} not in PubkeyAcceptedAlgorithms`;
    return said("info", text);
  }
  try {
    return signatureAlgorithms[parsePublicKey(blob).type].includes(algorithm)
      ? said("info", "refusing RSA key: Invalid key length")
      : said("error", "userauth_pubkey: type mismatch for decoded key");
  } catch (error) {
    if (error instanceof PeerFault) return said("error", "userauth_pubkey: parse key: invalid format"); // prettier-ignore
    throw error;
  }
}

/** What a line's options demand of this connection, now, as sshd says it. Undefined: nothing is in the way. */
function obstacle(
  options: KeyOptions,
  user: UserRecord,
  address: string,
  world: World,
): string | undefined {
  if (options.from !== undefined && !matchesAddressList(address, options.from)) {
    return (
      `Authentication tried for ${user.name} with correct key but not from a permitted host ` +
      `(host=${address}, ip=${address}, required=${options.from.join(",")}).`
    );
  }
  if (options.expiresAtMs !== undefined && options.expiresAtMs < world.nowMs()) {
    return "key expired";
  }
  return undefined;
}

/** Lines about unusable lines for one attempt: the file is the user's, and the log is not. */
const maxComplaints = 8;

/** Looks through the user's files for the key; the first line that may be used counts. */
export function authorize(
  key: PublicKey,
  user: UserRecord,
  address: string,
  options: ServerOptions,
  world: World,
): AcceptedKey | null {
  let complaints = 0;
  const mayComplain = (): boolean => {
    complaints += 1;
    return complaints <= maxComplaints;
  };
  for (const pattern of options.authorizedKeysFile.filter((name) => name !== "none")) {
    const path = expandKeyPath(pattern, user);
    const file = world.readKeyFile(path, user, options.strictModes);
    if ("absent" in file) continue;
    if ("refused" in file) {
      world.log({
        level: "info",
        code: "keys.refused",
        text: file.refused,
        fields: { user: user.name, file: path },
      });
      continue;
    }
    const skipped = ({ line, why, level }: SkippedLine): void => {
      if (!mayComplain()) return;
      const where = `${path}:${line}`;
      world.log({
        level,
        code: "keys.line-skipped",
        // sshd's error does not say where.
        text: level === "error" ? why : `${where}: ${why}`,
        fields: { user: user.name, where },
      });
    };
    for (const found of findKey(file.text, key.blob, skipped)) {
      const why = obstacle(found.options, user, address, world);
      if (why !== undefined) {
        if (!mayComplain()) continue;
        const fields = { user: user.name, where: `${path}:${found.line}`, why };
        const isExpired = why === "key expired";
        world.log({
          level: isExpired ? "debug1" : "info",
          code: "keys.not-now",
          text: `${path}:${found.line}: ${why}`,
          fields,
        });
        if (mayComplain())
          world.log({ level: "error", code: "keys.refused-by-options", text: "Refused by key options", fields }); // prettier-ignore
        continue;
      }
      const where = `${path}:${found.line}`;
      const described = describeKey(key);
      world.log({
        level: "verbose",
        code: "auth.key-accepted",
        text: `Accepted key ${described} found at ${where}`,
        fields: { user: user.name, key: described, where },
      });
      return { key, options: found.options };
    }
  }
  return null;
}

/** The signature is valid, and a security key did what key and configuration demand of it. */
export function provesPossession(
  accepted: AcceptedKey,
  algorithm: string,
  signature: Uint8Array,
  data: Uint8Array,
  options: ServerOptions,
): boolean {
  const verified = verifySignature(accepted.key, algorithm, signature, data);
  if (verified === null) return false;
  const { securityKey } = verified;
  if (securityKey === undefined) return true;
  const touch =
    accepted.options.touchRequired || options.pubkeyAuthOptions.includes("touch-required");
  const verify =
    accepted.options.verifyRequired || options.pubkeyAuthOptions.includes("verify-required");
  return (!touch || securityKey.userPresent) && (!verify || securityKey.userVerified);
}
