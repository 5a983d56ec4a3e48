// Bugs of deciding: what counts as a success, a failure, a step of several.
import type { Mutant } from "./mutants.ts";

const authentication = "broker/authentication.js";
const queried = { file: authentication, search: "    none(id) {", replacement: "    #queried;\n    none(id) {" }; // prettier-ignore
const keepsQueried = {
  file: authentication,
  search: 'level: "verbose",\n            code: "auth.postponed",',
  replacement: 'level: (this.#queried = accepted, "verbose"),\n            code: "auth.postponed",',
};

export const authenticationMutants: readonly Mutant[] = [
  {
    id: "empty-answer-accepted",
    bug: "An empty signature is nothing that could fail, so it is a success",
    mirrors:
      "OpenSSH bdaf65ae5 (2026): a PAM query with no prompts counted as authenticated; the decision was taken from a message's shape",
    patches: [
      {
        file: "broker/public-key-auth.js",
        search: "if (verified === null)\n        return false;",
        replacement: "if (verified === null)\n        return signature.length === 0;",
      },
    ],
  },
  {
    id: "query-options-kept",
    bug: "The restrictions that hold are those of the key that was asked about last, not of the one that signed",
    mirrors: "OpenSSH 179be0f5e, CVE-2024-45337: options of an unsigned query leaked",
    patches: [
      queried,
      keepsQueried,
      {
        file: authentication,
        search: "const options = this.#granted === undefined\n            ? accepted.options",
        replacement:
          "const options = this.#granted === undefined\n            ? (this.#queried ?? accepted).options",
      },
    ],
  },
  {
    id: "query-opens-any-key",
    bug: "Once a key was acceptable, any key may sign",
    mirrors: "Attack F7: KEYALLOWED, then KEYVERIFY with another blob",
    patches: [
      queried,
      keepsQueried,
      {
        file: authentication,
        search: "const accepted = this.#accept(key);\n        const data",
        replacement:
          "const accepted = this.#accept(key) ?? (key && this.#queried ? { ...this.#queried, key } : null);\n        const data",
      },
    ],
  },
  {
    id: "session-id-unbound",
    bug: "A signature that leaves the session id out is valid too",
    mirrors: "Attack F7; OpenSSH's SSH_OLD_SESSIONID: signatures in another form for old clients",
    patches: [
      {
        file: authentication,
        search: "const data = composeSignedData({\n            sessionId,",
        replacement: "const over = (sessionId) => composeSignedData({\n            sessionId,",
      },
      {
        file: authentication,
        search: "!provesPossession(accepted, body.algorithm, body.signature, data, this.options)",
        replacement:
          "![sessionId, new Uint8Array()].some((id) => provesPossession(accepted, body.algorithm, body.signature, over(id), this.options))",
      },
    ],
  },
  {
    id: "hostbound-unchecked",
    bug: "The host key that a signature is bound to is not compared with ours",
    mirrors: "Attack F7; OpenSSH's PROTOCOL section 3.1, publickey-hostbound",
    patches: [
      { file: authentication, search: "            isBoundElsewhere ||\n", replacement: "" },
    ],
  },
  {
    id: "failures-uncounted",
    bug: "Failures are not counted",
    mirrors: "Attack F3: sshd's monitor counted only what its child reported",
    patches: [
      {
        file: authentication,
        search: "            this.#failures += 1;",
        replacement: "            this.#failures += 0;",
      },
    ],
  },
  {
    id: "failure-at-once",
    bug: "A failure is answered at once: its time tells what was tried",
    mirrors: "OpenSSH d43ba60c9 (2026): methods without the minimum delay",
    patches: [
      {
        file: "broker/failure-delay.js",
        search: "    return total - elapsedMs;",
        replacement: "    return 0;",
      },
    ],
  },
  {
    id: "used-key-again",
    bug: "The same key serves for two steps of AuthenticationMethods publickey,publickey",
    mirrors: "OpenSSH's auth2_key_already_used, without it",
    patches: [
      {
        file: authentication,
        search: "        this.#usedKeys.push(body.blob);\n",
        replacement: "",
      },
    ],
  },
  {
    id: "partial-is-success",
    bug: "The first of several steps is taken for all of them",
    mirrors: "CVE-2026-39828: partial success",
    patches: [
      {
        file: authentication,
        search: "if (remaining !== undefined && !remaining.some((list) => list.length === 0)) {",
        replacement: "if (false) {",
      },
    ],
  },
  {
    id: "restrictions-lost",
    bug: "What the key of the first step forbids is forgotten by the second",
    mirrors: "Attack D9: permissions lost at partial success",
    patches: [
      { file: authentication, search: "        this.#granted = options;\n", replacement: "" },
    ],
  },
  {
    id: "environment-unfiltered",
    bug: "environment= of a key holds whatever PermitUserEnvironment says",
    mirrors: "Attack G: LD_PRELOAD by way of the environment",
    patches: [
      {
        file: authentication,
        search: 'if (permit === "no")\n            return [];',
        replacement:
          'if (permit === "no")\n            return environment.map((entry) => Buffer.from(entry));',
      },
    ],
  },
];
