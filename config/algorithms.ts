// The algorithms that this server implements, in its order of preference, and those that only sshd has: an explicit request for one of
// those is an error that names it, never a silent gap.

export const implemented = {
  kex: {
    offered: [
      "mlkem768x25519-sha256",
      "curve25519-sha256",
      "curve25519-sha256@libssh.org",
      "ecdh-sha2-nistp256",
      "ecdh-sha2-nistp384",
      "ecdh-sha2-nistp521",
    ],
    optional: [] as string[],
  },
  hostKey: {
    offered: [
      "ssh-ed25519",
      "ecdsa-sha2-nistp256",
      "ecdsa-sha2-nistp384",
      "ecdsa-sha2-nistp521",
      "rsa-sha2-512",
      "rsa-sha2-256",
    ],
    optional: [] as string[],
  },
  cipher: {
    offered: [
      "chacha20-poly1305@openssh.com",
      "aes128-gcm@openssh.com",
      "aes256-gcm@openssh.com",
      "aes128-ctr",
      "aes192-ctr",
      "aes256-ctr",
    ],
    optional: [] as string[],
  },
  mac: {
    offered: [
      "hmac-sha2-256-etm@openssh.com",
      "hmac-sha2-512-etm@openssh.com",
      "hmac-sha2-256",
      "hmac-sha2-512",
    ],
    optional: ["hmac-sha1-etm@openssh.com", "hmac-sha1"],
  },
  pubkey: {
    offered: [
      "ssh-ed25519",
      "ecdsa-sha2-nistp256",
      "ecdsa-sha2-nistp384",
      "ecdsa-sha2-nistp521",
      "sk-ssh-ed25519@openssh.com",
      "sk-ecdsa-sha2-nistp256@openssh.com",
      "rsa-sha2-512",
      "rsa-sha2-256",
    ],
    optional: [] as string[],
  },
};
export type AlgorithmKind = keyof typeof implemented;

const kindNames: Readonly<Record<AlgorithmKind, string>> = {
  kex: "key exchange method",
  hostKey: "host key algorithm",
  cipher: "cipher",
  mac: "MAC",
  pubkey: "public key algorithm",
};

/** `*` and `?`, as sshd's match_pattern: linear, by remembering only the last star. */
export function matchesPattern(text: string, pattern: string): boolean {
  let at = 0;
  let p = 0;
  let star = -1;
  let mark = 0;
  while (at < text.length) {
    if (
      p < pattern.length &&
      (pattern[p] === "?" || (pattern[p] === text[at] && pattern[p] !== "*"))
    ) {
      at += 1;
      p += 1;
    } else if (pattern[p] === "*") {
      star = p;
      mark = at;
      p += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      at = mark;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}

/**
 * An algorithm list of sshd_config: a plain list replaces the default, `+` appends, `^` puts in front, `-` takes away (with wildcards).
 * Throws RangeError naming what is not implemented, or when nothing is left.
 */
export function algorithmList(kind: AlgorithmKind, value: string): string[] {
  const { offered, optional } = implemented[kind];
  const all = [...offered, ...optional];
  const sign = /^[-+^]/.exec(value)?.[0] ?? "";
  const names = value
    .slice(sign.length)
    .split(",")
    .filter((name) => name !== "");
  if (names.length === 0) throw new RangeError(`empty ${kindNames[kind]} list`);
  if (sign === "-") {
    const left = offered.filter((name) => !names.some((pattern) => matchesPattern(name, pattern)));
    if (left.length === 0) throw new RangeError(`no ${kindNames[kind]} is left by "${value}"`);
    return left;
  }
  const wanted = names.flatMap((pattern) => {
    const found = all.filter((name) => matchesPattern(name, pattern));
    if (found.length === 0)
      throw new RangeError(`${kindNames[kind]} "${pattern}" is not supported`);
    return found;
  });
  const list =
    sign === "+" ? [...offered, ...wanted] : sign === "^" ? [...wanted, ...offered] : wanted;
  return [...new Set(list)];
}
