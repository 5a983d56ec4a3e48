// The algorithms that this server implements, in its order of preference. An explicit request for one that only sshd has is an error
// that names it, never a silent gap.
import { matchesPattern } from "./patterns.ts";

interface Kind {
  /** How sshd's message about a wrong list begins. */
  readonly complaint: string;
  /** Offered unless the configuration says otherwise. */
  readonly offered: readonly string[];
  /** Implemented, and offered only on request. */
  readonly optional: readonly string[];
}

const ecdsa = ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];
const rsa = ["rsa-sha2-512", "rsa-sha2-256"];

export const implemented = {
  kex: {
    complaint: "Bad SSH2 KexAlgorithms",
    offered: [
      "mlkem768x25519-sha256",
      "curve25519-sha256",
      "curve25519-sha256@libssh.org",
      "ecdh-sha2-nistp256",
      "ecdh-sha2-nistp384",
      "ecdh-sha2-nistp521",
    ],
    optional: [],
  },
  hostKey: {
    complaint: "Bad key types",
    offered: ["ssh-ed25519", ...ecdsa, ...rsa],
    optional: [],
  },
  cipher: {
    complaint: "Bad SSH2 cipher spec",
    offered: [
      "chacha20-poly1305@openssh.com",
      "aes128-gcm@openssh.com",
      "aes256-gcm@openssh.com",
      "aes128-ctr",
      "aes192-ctr",
      "aes256-ctr",
    ],
    optional: [],
  },
  mac: {
    complaint: "Bad SSH2 mac spec",
    offered: [
      "hmac-sha2-256-etm@openssh.com",
      "hmac-sha2-512-etm@openssh.com",
      "hmac-sha2-256",
      "hmac-sha2-512",
    ],
    // SHA-1 is sound in HMAC, and old clients have nothing else; still nobody gets it unasked.
    optional: ["hmac-sha1-etm@openssh.com", "hmac-sha1"],
  },
  pubkey: {
    complaint: "Bad key types",
    offered: [
      "ssh-ed25519",
      ...ecdsa,
      "sk-ssh-ed25519@openssh.com",
      "sk-ecdsa-sha2-nistp256@openssh.com",
      ...rsa,
    ],
    optional: [],
  },
} as const satisfies Readonly<Record<string, Kind>>;
export type AlgorithmKind = keyof typeof implemented;

/**
 * An algorithm list of sshd_config: a plain list replaces the default, `+` appends, `^` puts in front, `-` takes away; `*` and `?` stand
 * for what is implemented. Throws RangeError naming what is not implemented, or when nothing is left.
 */
export function algorithmList(kind: AlgorithmKind, value: string): string[] {
  const { complaint, offered, optional }: Kind = implemented[kind];
  const bad = (why: string): RangeError => new RangeError(`${complaint} '${value}': ${why}`);
  const sign = /^[-+^]/.exec(value)?.[0] ?? "";
  const names = value.slice(sign.length).split(",");
  if (names.includes("")) throw bad("an empty name");
  let list: string[];
  if (sign === "-") {
    // A name that we do not have is as good as taken away.
    list = offered.filter((name) => !names.some((pattern) => matchesPattern(name, pattern)));
  } else {
    const wanted = names.flatMap((pattern) => {
      const found = [...offered, ...optional].filter((name) => matchesPattern(name, pattern));
      if (found.length === 0 && !/[*?]/.test(pattern))
        throw bad(`${pattern} is unknown or not supported`);
      return found;
    });
    list = sign === "+" ? [...offered, ...wanted] : sign === "^" ? [...wanted, ...offered] : wanted;
  }
  if (list.length === 0) throw bad("nothing is left");
  return [...new Set(list)];
}
