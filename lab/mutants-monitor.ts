// Bugs of the conversation: what may be asked when, what is signed, what is logged.
import type { Mutant } from "./mutants.ts";

const monitor = "broker/monitor.js";
const permits = "broker/permits.js";

export const monitorMutants: readonly Mutant[] = [
  {
    id: "user-resent",
    bug: "The user's name may be sent again, and the last one is who gets the login",
    mirrors: "CVE-2015-6563 (OpenSSH d4697fe9a): the name was sent again to PAM",
    patches: [
      {
        file: permits,
        search: "        authNone: attempts,",
        replacement: "        lookupUser: attempts,\n        authNone: attempts,",
      },
      {
        file: monitor,
        search: "        const facts = this.#facts;\n        if (facts === undefined)",
        replacement: `        if (this.#authentication !== undefined) {
            this.#authentication.resent(body.user);
            this.#world.answer("userAccepted", id, { banner: new Uint8Array() });
            return;
        }
        const facts = this.#facts;
        if (facts === undefined)`,
      },
      {
        file: "broker/authentication.js",
        search: "    none(id) {",
        replacement: `    #resent = null;
    resent(name) {
        this.#resent = this.#world.lookupUser(Buffer.from(name).toString());
    }
    none(id) {`,
      },
      {
        file: "broker/authentication.js",
        search: "this.#succeed(id, this.#user, {",
        replacement: "this.#succeed(id, this.#resent ?? this.#user, {",
      },
    ],
  },
  {
    id: "second-user",
    bug: "A second user may be looked up, and everything about the first is forgotten, failures too",
    mirrors: "Attack D10: PWNAM asked twice",
    patches: [
      {
        file: permits,
        search: '        authNone: ["refused"],',
        replacement: '        lookupUser: ["authenticating"],\n        authNone: ["refused"],',
      },
      {
        file: permits,
        search: "        authNone: attempts,",
        replacement: "        lookupUser: attempts,\n        authNone: attempts,",
      },
    ],
  },
  {
    id: "context-after-release",
    bug: "The context of the conversation is used after it was released: requests are answered after the end",
    mirrors:
      "CVE-2015-6564 (OpenSSH 5e75f5198): use after free of the PAM context when FREE was followed by RESPOND",
    patches: [{ file: monitor, search: "        this.#permits.end();\n", replacement: "" }],
  },
  {
    id: "permits-left-open",
    bug: "Entering a phase adds its permits to those of the phase before",
    mirrors: "OpenSSH b38b95f5b and b33ad6d99: monitor permits stayed open after their step",
    patches: [
      {
        file: "broker/permit-state.js",
        search: "    #spent = new Map();\n",
        replacement: "    #spent = new Map();\n    #open = {};\n",
      },
      {
        file: "broker/permit-state.js",
        search: "return uses(permits[this.#phase][request]) -",
        replacement:
          "return Math.max(uses(permits[this.#phase][request]), this.#open[request] ?? 0) -",
      },
      {
        file: "broker/permit-state.js",
        search: "        this.#phase = phase;\n",
        replacement:
          "        for (const name of Object.keys(permits[phase])) this.#open[name] = this.left(name);\n        this.#phase = phase;\n",
      },
      {
        file: "broker/permit-state.js",
        search: "if (leadsTo[this.#phase][by]?.includes(phase) !== true)",
        replacement: "if (false)",
      },
    ],
  },
  {
    id: "sign-unlimited",
    bug: "Before authentication as many exchange hashes are signed as one likes",
    mirrors: "Attack F6: SIGN without ONCE is a signing oracle",
    patches: [
      {
        file: permits,
        search: '        lookupUser: "once", // RFC',
        replacement: '        sign: "open",\n        lookupUser: "once", // RFC',
      },
    ],
  },
  {
    id: "sign-unbound",
    bug: "The exchange hash is made with parts that this connection's key exchange never had",
    mirrors: "Attack F6: signatures that are not tied to a key exchange (mm_answer_sign's own XXX)",
    patches: [
      {
        file: monitor,
        search: 'this.#world.sign("exchange", body, (signed) => {',
        replacement:
          'this.#world.sign("exchange", this.#sessionId ? { ...body, clientVersion: this.#sessionId } : body, (signed) => {',
      },
    ],
  },
  {
    id: "proof-unlimited",
    bug: "A host key is proved as often as one likes",
    mirrors: "OpenSSH df67bcaf5 (2026): unlimited signatures by hostkeys-prove",
    patches: [
      {
        file: monitor,
        search: "if (this.#proved.has(name))",
        replacement: "if (false)",
      },
    ],
  },
  {
    id: "proof-unbound",
    bug: "The proof of a host key is not over this connection's session id",
    mirrors: "Attack F6: a signature that is not bound to what the monitor composed",
    patches: [
      {
        file: monitor,
        search: "const sessionId = this.#sessionId ?? new Uint8Array();",
        replacement: "const sessionId = body.blob.subarray(0, 32);",
      },
    ],
  },
  {
    id: "proof-of-any-key",
    bug: "The signer is asked for proofs of keys that are not ours",
    mirrors: "Attack F6: mm_answer_sign without its key index check",
    patches: [
      {
        file: monitor,
        search: "if (key?.algorithms.includes(body.algorithm) !== true)",
        replacement: "if (false)",
      },
    ],
  },
  {
    id: "session-id-moves",
    bug: "The session id is the last exchange hash, not the first",
    mirrors: "RFC 4253 section 7.2; OpenSSH's mm_answer_sign keeps the first on purpose",
    patches: [
      {
        file: monitor,
        search: '            this.#world.answer("signed", id, signed);',
        replacement:
          '            this.#sessionId = signed.exchangeHash;\n            this.#world.answer("signed", id, signed);',
      },
    ],
  },
  {
    id: "service-unchecked",
    bug: "Any service is taken for ssh-connection",
    mirrors: "Attack F7: the service skipped in monitor_valid_userblob",
    patches: [
      {
        file: monitor,
        search: "if (!Buffer.from(body.service).equals(service))",
        replacement: "if (false)",
      },
    ],
  },
  {
    id: "refused-not-entered",
    bug: "After too many failures the phase stays: whoever ignores the answer goes on guessing",
    mirrors: "Attack F3: a phase that nobody enters; sshd counts in monitor and child for this",
    patches: [
      {
        file: monitor,
        search: "if (this.#auth().isExhausted)",
        replacement: "if (false)",
      },
    ],
  },
  {
    id: "busy-unchecked",
    bug: "A request is taken while the one before it is not answered",
    mirrors: "Attack F4's cause: monitor and child out of step",
    patches: [{ file: monitor, search: "if (this.#busy)\n", replacement: "if (false)\n" }],
  },
  {
    id: "adopted-early",
    bug: "The hand-over is believed before there is a connection",
    mirrors: "Attack F3: a message before its state",
    patches: [
      {
        file: monitor,
        search:
          'if (this.#facts === undefined)\n                    throw new PeerFault("MISMATCH"',
        replacement: 'if (false)\n                    throw new PeerFault("MISMATCH"',
      },
    ],
  },
  {
    id: "descriptors-early",
    bug: "Descriptors are taken beside messages that carry none",
    mirrors: "Attack F8: descriptor passing where none belongs",
    patches: [
      {
        file: "ipc/protocol.js",
        search: "if (spec.descriptors !== descriptorCount) {",
        replacement: "if (spec.descriptors > descriptorCount) {",
      },
    ],
  },
  {
    id: "log-event-forged",
    bug: "A line of the session process is logged under any event's name",
    mirrors: "Attack F10: log channel injection",
    patches: [{ file: monitor, search: "code: `session.${code}`,", replacement: "code," }],
  },
  {
    id: "log-unmarked",
    bug: "Lines of the session process are not marked as its own",
    mirrors: "Attack F10: log channel injection",
    patches: [
      {
        file: monitor,
        search: 'text: lineOfSession(Buffer.from(text).toString("utf8"), user, this.peerText),',
        replacement: 'text: Buffer.from(text).toString("utf8"),',
      },
    ],
  },
  {
    id: "log-unlimited",
    bug: "Log lines before authentication are not counted",
    mirrors: "Attack F9: starvation by a flood of requests",
    patches: [
      { file: permits, search: "const preauthLines = { atMost: 64 };", replacement: 'const preauthLines = "open";' }, // prettier-ignore
    ],
  },
];
