// Bugs of measure: too much kept, too much done, too much told.
import type { Mutant } from "./mutants.ts";

const monitor = "broker/monitor.js";
const authentication = "broker/authentication.js";

export const boundMutants: readonly Mutant[] = [
  {
    id: "offers-kept",
    bug: "Every key that was offered is kept until the connection ends",
    mirrors:
      "CVE-2025-26466: what a PING asked for was kept until the key exchange ended, without a bound",
    patches: [
      {
        file: authentication,
        search: "    query(id, attempt) {\n",
        replacement:
          "    #offered = [];\n    query(id, attempt) {\n        this.#offered.push({ ...attempt });\n",
      },
    ],
  },
  {
    id: "lines-kept",
    bug: "Log lines of the session process are kept, to be looked at should it die",
    mirrors: "Attack F9: starvation by a flood of log lines",
    patches: [
      {
        file: monitor,
        search: "    #log({ level, code, text }) {\n",
        replacement:
          "    #lines = [];\n    #log({ level, code, text }) {\n        this.#lines.push(text);\n",
      },
    ],
  },
  {
    id: "devices-repeated",
    bug: "Every device that a client lists is asked, however often it is listed",
    mirrors:
      "CVE-2015-5600: keyboard-interactive tried each device as often as the client's list had it",
    patches: [
      {
        file: monitor,
        search: "this.#auth().unsupported(request.id);",
        replacement:
          'for (const device of Buffer.from(request.body.method).toString("latin1").split(",")) this.#world.lookupUser(device);\n                this.#auth().unsupported(request.id);',
      },
    ],
  },
  {
    id: "count-believed",
    bug: "A number in a message is how often something is done",
    mirrors: "CVE-2026-39834, CVE-2026-59843: a peer's number drives a loop",
    patches: [
      {
        file: monitor,
        search: "        const isPreauth = !this.isAuthenticated;\n        const name",
        // Not for ever: the lab must get to see it.
        replacement:
          "        for (let done = 0; done < Math.min(body.code, 50_000);) { done += 1; }\n        const isPreauth = !this.isAuthenticated;\n        const name",
      },
    ],
  },
  {
    id: "complaints-unlimited",
    bug: "Every line of a key file that is in the way of a key is worth two in the log",
    mirrors: "Attack F9: a short message, and a log that fills the disk",
    patches: [
      {
        file: "broker/public-key-auth.js",
        search: "return complaints <= maxComplaints;",
        replacement: "return true;",
      },
    ],
  },
  {
    id: "log-line-uncut",
    bug: "Lines of the session process reach the log however long they are",
    mirrors: "Attack F10: log lines of any length",
    patches: [
      {
        file: "broker/event-bounds.js",
        search: "text: cut(text, maxEventText),",
        replacement: "text,",
      },
    ],
  },
  {
    id: "shared-secret-logged",
    bug: "The parts of a key exchange are logged for whoever debugs, the shared secret among them",
    mirrors: "OpenSSH built with DEBUG_KEXECDH prints the shared secret",
    patches: [
      {
        file: monitor,
        search: 'this.#world.sign("exchange", body, (signed) => {',
        replacement:
          'this.#world.log({ level: "debug3", code: "kex.parts", text: `kex ${body.kex} secret ${body.sharedSecret}` });\n        this.#world.sign("exchange", body, (signed) => {',
      },
    ],
  },
  {
    id: "signature-logged",
    bug: "A signature that was refused is logged whole",
    mirrors:
      "Credentials in debug lines: whoever reads the log may use what was refused for a reason that is gone",
    patches: [
      {
        file: authentication,
        search: "const accepted = this.#accept(key);\n        const data",
        replacement:
          'const accepted = this.#accept(key);\n        if (accepted === null) this.#world.log({ level: "debug1", code: "auth.refused", text: `refused ${Buffer.from(body.signature).toString("base64")}` });\n        const data',
      },
    ],
  },
  {
    id: "delay-secret-told",
    bug: "The secret behind a failure's delay stands in the event of the failure",
    mirrors: "OpenSSH d43ba60c9 (2026), the other way: a delay that can be computed hides nothing",
    patches: [
      {
        file: authentication,
        search: "fields: this.#fields({ failures: this.#failures }),",
        replacement:
          'fields: this.#fields({ failures: this.#failures, delay: Buffer.from(this.#world.delaySecret).toString("hex") }),',
      },
    ],
  },
];
