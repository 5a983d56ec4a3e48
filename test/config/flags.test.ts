import t from "tap";
import { parseFlags, UsageError } from "../../config/flags.ts";
import { loadConfig } from "../../config/load.ts";

t.test("parseFlags() refuses what sshd refuses", (t) => {
  const cases: [string[], string][] = [
    [["-Z"], "unknown option -- Z"],
    [["-f"], "option requires an argument -- f"],
    [["x"], "Extra argument x."],
    [["-g", "xx"], "Invalid login grace time."],
    [["-p", "x"], "Bad port number."],
    [["-p70000"], "Bad port number."],
    [["-u", "x"], "Invalid utmp length."],
    [["-R"], "-R not supported here"],
    [["-T", "-C", "foo=bar"], "Invalid test mode specification foo=bar"],
    [["-T", "-C", "lport=x"], "Invalid port 'x' in test mode specification lport=x"],
    [["-C", "user=x"], "Config test connection parameter (-C) provided without test mode (-T)"],
    [["-c", "/x"], "-c: host certificates are not supported yet"],
    [["--bogus"], "Extra argument --bogus."],
  ];
  for (const [argv, message] of cases)
    t.throws(() => parseFlags(argv), new UsageError(message), argv.join(" "));
  t.end();
});

t.test("parseFlags() reads letters together, values joined or apart", (t) => {
  t.match(parseFlags(["-Dddd", "-E/x", "-f", "/c", "-e"]), {
    foreground: true,
    debug: 3,
    logFile: "/x",
    file: "/c",
    logToStderr: true,
  });
  t.match(parseFlags(["-i", "-q", "-t", "--"]), { inetd: true, quiet: true, action: "test" });
  t.match(parseFlags(["-T", "-C", "user=a,lport=22", "-C", "invalid-user"]), {
    action: "dump",
    connection: { user: "a", lport: "22", "invalid-user": "yes" },
  });
  t.equal(parseFlags(["-f", "none"]).file, "none");
  t.equal(parseFlags(["-b", "1", "-k", "2", "-Q", "-r", "-u0"]).overrides[0], "UseDNS no");
  t.equal(parseFlags(["--help"]).action, "help");
  t.end();
});

t.test("flags become lines that win over the file", (t) => {
  const { overrides } = parseFlags([
    "-p",
    "24",
    "-h",
    '/a "b\\',
    "-g",
    "1m",
    "-6",
    "-o",
    "MaxSessions=3",
  ]);
  const content = "Port 22\nLoginGraceTime 3\nAddressFamily any\nMaxSessions 1";
  const { global } = loadConfig({ file: "/c", overrides, sources: [{ path: "/c", content }] });
  t.match(global, {
    port: [24],
    hostKey: ['/a "b\\'],
    loginGraceTime: 60,
    addressFamily: "inet6",
    maxSessions: 3,
  });
  t.end();
});
