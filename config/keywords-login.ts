// Keywords about users: how they authenticate, who may log in, and what a session gets.
import { NotSupported, option, several, single, type Keyword, type Values } from "./keyword.ts";
import { quoteWord } from "./lines.ts";
import type { ServerOptions, Subsystem } from "./options.ts";
import { checkAddressList } from "./patterns.ts";
import { algorithms, count, flag, gathered, pathOrNone, restOfLine, words } from "./value-kinds.ts";
import { choice } from "./values.ts";

const inMatch = { inMatch: true };
const list = { inMatch: true, repeat: "append" } as const;

const keysFiles: Values<readonly string[]> = {
  read: (line) => {
    const files = several(line);
    if (files.length === 1 && files[0].toLowerCase() === "none") return [];
    const unknown = files.map((file) => /%(?:[^%huU]|$)/.exec(file.replaceAll("%%", ""))?.[0]);
    const [first] = unknown.filter((token) => token !== undefined);
    if (first !== undefined) throw new RangeError(`${line.written}: unknown key ${first}`);
    return files;
  },
  print: (value) => (value.length === 0 ? ["none"] : [value.map(quoteWord).join(" ")]),
};
const keyOptions: Values<ServerOptions["pubkeyAuthOptions"]> = {
  read: (line) => {
    const word = single(line);
    if (word.toLowerCase() === "none") return [];
    return word.split(",").map((name) => choice(name, ["touch-required", "verify-required"]));
  },
  print: (value) => [value.length === 0 ? "none" : value.join(",")],
};
const rootLogin: Values<ServerOptions["permitRootLogin"]> = {
  read: (line) => {
    const word = choice(single(line), [
      "yes",
      "no",
      "prohibit-password",
      "without-password",
      "forced-commands-only",
    ]);
    return word === "without-password" ? "prohibit-password" : word;
  },
  // The old name, as sshd prints it: programs that read -T look for it.
  print: (value) => [value === "prohibit-password" ? "without-password" : value],
};
const methods: Values<ServerOptions["authenticationMethods"]> = {
  read: (line) => {
    const lists = several(line);
    if (lists.includes("any")) {
      if (lists.length === 1) return [];
      throw new RangeError('"any" must appear alone in AuthenticationMethods');
    }
    return lists.map((one) =>
      one.split(",").map((method) => {
        if (method === "publickey") return method;
        throw new NotSupported(
          `AuthenticationMethods ${one} is not supported yet: ${method}`,
          true,
        );
      }),
    );
  },
  print: (value) => [value.length === 0 ? "any" : value.map((one) => one.join(",")).join(" ")],
};

function checkUserPattern(pattern: string): void {
  try {
    const at = pattern.lastIndexOf("@");
    if (at >= 0) checkAddressList(pattern.slice(at + 1).split(","));
  } catch (cause) {
    throw new RangeError(`invalid user pattern: "${pattern}"`, { cause });
  }
}
const userPatterns = gathered(checkUserPattern);
const acceptedNames = gathered((name) => {
  if (name.includes("=")) throw new RangeError("Invalid environment name.");
});
const environment: Values<readonly string[]> = {
  read: (line) => {
    const byName = new Map<string, string>();
    for (const word of several(line)) {
      const equals = word.indexOf("=");
      if (equals < 1) throw new RangeError("Invalid environment.");
      const name = word.slice(0, equals);
      if (!byName.has(name)) byName.set(name, word);
    }
    return [...byName.values()];
  },
  print: words.print,
};
const userEnvironment: Values<string> = {
  read: (line) => {
    const word = single(line);
    return /^(yes|no)$/i.test(word) ? word.toLowerCase() : word;
  },
  print: (value) => [quoteWord(value)],
};

const sftp =
  "internal-sftp is not supported yet; name a program such as /usr/lib/openssh/sftp-server";
const subsystem: Values<readonly Subsystem[]> = {
  read: (line) => {
    const [name = "", ...command] = line.words;
    if (name === "") throw new RangeError("Missing subsystem name.");
    if (command[0] === undefined || command[0] === "")
      throw new RangeError("Missing subsystem command.");
    if (command[0] === "internal-sftp") throw new NotSupported(`Subsystem ${name}: ${sftp}`);
    return [{ name, command: command.map(quoteWord).join(" ") }];
  },
  print: (value) => value.map(({ name, command }) => `${quoteWord(name)} ${command}`),
};
const forcedCommand = restOfLine((text) => {
  if (/^["']?internal-sftp\b/.test(text)) throw new NotSupported(`ForceCommand: ${sftp}`, true);
});

// prettier-ignore
export const loginKeywords: readonly Keyword[] = [
  option("PubkeyAuthentication", "pubkeyAuthentication", flag, "Public keys", { inMatch: true, aliases: ["DSAAuthentication"] }),
  option("PubkeyAcceptedAlgorithms", "pubkeyAcceptedAlgorithms", algorithms("pubkey"), "Signature algorithms of user keys", { inMatch: true, aliases: ["PubkeyAcceptedKeyTypes"] }),
  option("PubkeyAuthOptions", "pubkeyAuthOptions", keyOptions, "What security keys must have proved: `none`, `touch-required`, `verify-required`", inMatch),
  option("RequiredRSASize", "requiredRsaSize", count(), "Smallest RSA key, bits", inMatch),
  option("AuthorizedKeysFile", "authorizedKeysFile", keysFiles, "Files of keys, with %h %u %U %%, or `none`", inMatch),
  option("StrictModes", "strictModes", flag, "Refuse key files that others could have written"),
  option("AuthenticationMethods", "authenticationMethods", methods, "`any`, or lists of `publickey` (each another key)", inMatch),
  option("MaxAuthTries", "maxAuthTries", count(), "Failures before the connection ends", inMatch),
  option("PermitRootLogin", "permitRootLogin", rootLogin, "How root may log in", inMatch),
  option("AllowUsers", "allowUsers", userPatterns, "Patterns, `user` or `user@host`; only these; lines add up", list),
  option("DenyUsers", "denyUsers", userPatterns, "Patterns; none of these; lines add up", list),
  option("AllowGroups", "allowGroups", gathered(), "Patterns of groups; only their members; lines add up", list),
  option("DenyGroups", "denyGroups", gathered(), "Patterns of groups; not their members; lines add up", list),
  option("RefuseConnection", "refuseConnection", flag, "End the connection at once", inMatch),
  option("Banner", "banner", pathOrNone(""), "File shown before authentication, or `none`", inMatch),
  option("MaxSessions", "maxSessions", count(), "Sessions in a connection; 0: none", inMatch),
  option("PermitTTY", "permitTty", flag, "Terminals", inMatch),
  option("ForceCommand", "forceCommand", forcedCommand, "Run instead of what the client asks for, or `none`", inMatch),
  option("Subsystem", "subsystem", subsystem, "Name and command of a subsystem; lines add up, the first of a name counts", { inMatch: true, repeat: "named" }),
  option("AcceptEnv", "acceptEnv", acceptedNames, "Patterns of names taken from the client; lines add up", list),
  option("SetEnv", "setEnv", environment, "`NAME=value` for every session", inMatch),
  option("PermitUserEnvironment", "permitUserEnvironment", userEnvironment, "~/.ssh/environment and `environment=`: `yes`, `no` or patterns"),
  option("PermitUserRC", "permitUserRc", flag, "Run ~/.ssh/rc before a session", inMatch),
  option("PrintMotd", "printMotd", flag, "Show /etc/motd to login shells"),
];
