// Session processes with one bug each, as patches of their compiled code: what `sallyport fuzz server` must find from outside. The tests and the
// lab alone load them; a test holds every patch against the present code.
import { mutants, type Mutant } from "./mutants.ts";

const userauth = "session/ssh/userauth.js";
const inbound = "session/ssh/inbound.js";

export const sessionMutants: readonly Mutant[] = [
  {
    id: "session-throws",
    bug: "A service name of more than 64 characters is an error that nobody catches",
    mirrors: "golang.org/x/crypto CVE-2020-9283, CVE-2021-43565: a panic by a peer's message",
    patches: [
      {
        file: userauth,
        search: "        const name = reader.name();\n        reader.end();",
        replacement:
          '        const name = reader.name();\n        if (name.length > 64)\n            throw new TypeError("Cannot name the service");\n        reader.end();',
      },
    ],
  },
  {
    id: "none-succeeds",
    bug: "The client is told that the method none succeeded, the second time it asks",
    mirrors: "libssh CVE-2018-10933: the wrong party says success",
    patches: [
      {
        file: userauth,
        search: '            case "failure":\n',
        replacement:
          '            case "failure":\n                if (attempt.method === "none" && (this.nones = (this.nones ?? 0) + 1) > 1) {\n                    sender.send(Uint8Array.of(52));\n                    break;\n                }\n',
      },
    ],
  },
  {
    id: "session-calls",
    bug: "A DEBUG message that is to be displayed is written to a file",
    mirrors: "Debug code left in: a system call that the sandbox does not know",
    patches: [
      {
        file: inbound,
        search: "            reader.bool();\n            reader.string();",
        replacement:
          '            if (reader.bool())\n                mkdirSync("/debug");\n            reader.string();',
      },
      {
        file: inbound,
        search: 'import { decodeExtInfo } from "./ext-info.js";',
        replacement:
          'import { mkdirSync } from "node:fs";\nimport { decodeExtInfo } from "./ext-info.js";',
      },
    ],
  },
  {
    id: "session-keeps",
    bug: "What IGNORE carries is kept for as long as the connection lives, and copied into large pages",
    mirrors: "CVE-2025-26466: memory for messages without meaning",
    patches: [
      {
        file: inbound,
        search: "            reader.string();\n        }\n        reader.end();",
        replacement:
          "            reader.string();\n            (this.kept ??= []).push(new Uint8Array(4 << 20).fill(1));\n        }\n        reader.end();",
      },
    ],
  },
  {
    id: "password-logged",
    bug: "A request for the method password is refused in words that quote it, and the log has them",
    mirrors: "Passwords in debug logs, of many servers",
    patches: [
      {
        file: userauth,
        search: "            this.#serve(readUserauthRequest(payload));",
        replacement:
          '            if (Buffer.from(payload).includes("password"))\n                throw new PeerFault("MALFORMED", `Cannot use ${quote(payload)}`);\n            this.#serve(readUserauthRequest(payload));',
      },
    ],
  },
  {
    id: "end-ignored",
    bug: "The end of the client's stream before it has identified itself is not noticed",
    mirrors: "Connections that never end: slots of MaxStartups for nothing",
    patches: [
      {
        file: "session/ssh/transport.js",
        search: "        else if (count === 0 || hungUp)",
        replacement: "        else if ((count === 0 || hungUp) && this.#isIdentified)",
      },
    ],
  },
];

/** Of a session process or of a broker. Throws RangeError for an id that nobody has. */
export function serverMutantById(id: string): Mutant {
  const all = [...sessionMutants, ...mutants];
  const found = all.find((mutant) => mutant.id === id);
  if (found === undefined) throw new RangeError(`no mutant ${JSON.stringify(id)}; there are ${all.map((each) => each.id).join(", ")}`); // prettier-ignore
  return found;
}
