// Bugs of judging keys and users: whose key, from where, until when, for which algorithm.
import type { Mutant } from "./mutants.ts";

const publicKey = "broker/public-key-auth.js";
const authorizedKeys = "broker/authorized-keys.js";
const policy = "broker/user-policy.js";

export const keyMutants: readonly Mutant[] = [
  {
    id: "key-prefix",
    bug: "Keys are compared by how they begin",
    mirrors: "Attack F7: a comparison of the shorter length",
    patches: [
      {
        file: authorizedKeys,
        search: "key.base64 === wanted && key.type === type",
        replacement: "key.base64.slice(0, 24) === wanted.slice(0, 24) && key.type === type",
      },
      {
        file: authorizedKeys,
        search: "    if (!text.includes(wanted))\n        return;\n",
        replacement: "",
      },
      {
        file: authorizedKeys,
        search: 'if (trimmed.startsWith("#") || !trimmed.includes(wanted))',
        replacement: 'if (trimmed.startsWith("#"))',
      },
    ],
  },
  {
    id: "from-ignored",
    bug: "from= of a key is not looked at",
    mirrors: "CVE-2026-46595: source-address not enforced",
    patches: [
      {
        file: publicKey,
        search: "options.from !== undefined && !matchesAddressList(address, options.from)",
        replacement: "false",
      },
    ],
  },
  {
    id: "expiry-ignored",
    bug: "expiry-time= of a key is not looked at",
    mirrors: "Attack D8: expired credentials",
    patches: [
      {
        file: publicKey,
        search: "options.expiresAtMs !== undefined && options.expiresAtMs < world.nowMs()",
        replacement: "false",
      },
    ],
  },
  {
    id: "algorithm-unchecked",
    bug: "The signature algorithm need not be one of the key's type",
    mirrors: "OpenSSH 52154c2d2: algorithms were looked at after the key was parsed",
    patches: [
      {
        file: publicKey,
        search: "if (!signatureAlgorithms[key.type].includes(attempt.algorithm))",
        replacement: "if (false)",
      },
    ],
  },
  {
    id: "algorithm-policy-ignored",
    bug: "PubkeyAcceptedAlgorithms is not looked at",
    mirrors: "OpenSSH checks the exact algorithm in the child only, not in the monitor",
    patches: [
      {
        file: publicKey,
        search: " ||\n        !options.pubkeyAcceptedAlgorithms.includes(attempt.algorithm)",
        replacement: "",
      },
    ],
  },
  {
    id: "root-always",
    bug: "PermitRootLogin no is not looked at",
    mirrors: "auth_root_allowed, which only the monitor calls",
    patches: [
      {
        file: policy,
        search: 'case "no":\n            return false;',
        replacement: 'case "no":\n            return true;',
      },
    ],
  },
  {
    id: "locked-account-admitted",
    bug: "A locked account may log in",
    mirrors: "Attack E6 and F4: valid=0 forgotten between child and monitor",
    patches: [
      {
        file: policy,
        search: "if (user.unusable !== undefined)",
        replacement: "if (false)",
      },
    ],
  },
];
