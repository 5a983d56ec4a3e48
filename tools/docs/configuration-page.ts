// docs/configuration.md, made from the tables of keywords.
import type { Keyword } from "../../config/keyword.ts";
import { keywords } from "../../config/keywords.ts";
import { defaults } from "../../config/options.ts";
import { table } from "./markdown.ts";

const repeats: Readonly<Record<Keyword["repeat"], string>> = {
  first: "first line",
  append: "add up",
  named: "first of a name",
};
const row = (keyword: Keyword): string[] => [
  [keyword.name, ...keyword.aliases].map((name) => `\`${name}\``).join(", "),
  keyword.doc,
  keyword
    .print(defaults)
    .map((value) => `\`${value}\``)
    .join(", "),
  keyword.inMatch ? "yes" : "",
  repeats[keyword.repeat],
];
const section = (...supports: Keyword["support"][]): string =>
  table(
    ["keyword", "meaning", "default", "in Match", "lines"],
    keywords.filter(({ support }) => supports.includes(support)).map(row),
  );

/** The whole page. */
export function configurationPage(): string {
  const ignored = keywords.filter(({ support }) => support === "ignored" || support === "silent");
  return (
    [
      "# Configuration",
      "<!-- Made by `npm run docs` from config/; a test fails when it is not current. -->",
      "`/etc/ssh/sshd_config`, or `-f FILE`, in the syntax of sshd_config(5), `Include` and `Match` (User, Group, Host, LocalAddress, LocalPort, Address, Version, " +
        "invalid-user, all) included. An unknown keyword, and a known one that asks for what is not built, is an error with file and line; `-t` tells, `-T` prints what holds.",
      "Where it differs from sshd: paths must be absolute (but for AuthorizedKeysFile and Include); `ListenAddress` takes no names but `localhost`; files must be UTF-8; " +
        "`Match` compares `Version` with `sallyport_0.1`; a `Port` given by `-o` replaces the file's ports as `-p` does; port 0 has the kernel choose; defaults that would need " +
        "what is not built (passwords, forwarding, compression, penalties, ~/.ssh/rc) are `no`; an algorithm that only sshd has is an error where it is named, and no error where a wildcard or `-` covers it.",
      "## Keywords",
      section("supported"),
      "## Our own",
      section("own"),
      "## Not supported yet: only these values",
      "`IgnoreUnsupported` names those whose other values are to be skipped (and logged) instead of refused, so that an existing file can be served as it is. " +
        "It never skips ChrootDirectory, RevokedKeys, ForceCommand or AuthenticationMethods. `IgnoreUnsupported UsePAM` means that PAM's account rules do not hold.",
      section("fixed"),
      "## Taken, and without effect",
      section("without-effect"),
      `## Ignored, as sshd ignores them\n\n${ignored.map(({ name }) => `\`${name}\``).join(", ")}`,
    ].join("\n\n") + "\n"
  );
}
