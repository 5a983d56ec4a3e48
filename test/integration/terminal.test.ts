// Terminals as people use them: a shell in ssh in tmux, which shows what a person would see.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import t, { type Test } from "tap";
import { isAlive, killSeen, processes } from "../../lab/processes.ts";
import { sshArguments, tool } from "../support/ssh-client.ts";
import { TestServer } from "../support/test-server.ts";
import { makeUser } from "../support/test-user.ts";
import { until } from "../support/until.ts";

const user = makeUser(t);
const server = await TestServer.start(t);
// A tmux server of its own, so that nobody's configuration or sessions count.
const socket = `${server.folder}/tmux`;

function tmux(...args: readonly string[]): string {
  const ran = spawnSync("tmux", ["-S", socket, "-f", "/dev/null", ...args], {
    encoding: "utf8",
    env: { ...process.env, LANG: "C.UTF-8", TERM: "xterm" },
  });
  if (ran.status !== 0) throw new Error(`tmux ${args.join(" ")}: ${ran.stderr}`);
  return ran.stdout;
}
const screen = (): string => tmux("capture-pane", "-p", "-t", "login").replaceAll(/ +$/gm, "");
const type = (...keys: readonly string[]): string => tmux("send-keys", "-t", "login", ...keys);
/** Waits until the screen shows it. */
const shows = (pattern: RegExp): Promise<string> =>
  until(`the terminal shows ${String(pattern)}`, () => {
    const text = screen();
    return pattern.test(text) && text;
  }).catch((error: unknown) => {
    throw new Error(`The terminal shows ${screen()}`, { cause: error });
  });

/** Waits until ssh has ended with that status. */
const ends = (status: number): Promise<boolean> =>
  until(`ssh ends with status ${status}`, () => {
    const file = `${server.folder}/status`;
    return existsSync(file) && readFileSync(file, "utf8") === `${status}\n`;
  });

/** ssh in a terminal of 100 columns and 30 lines, with a shell that says "ready> ". */
async function login(t: Test, command: readonly string[] = []): Promise<void> {
  const words = [tool("ssh"), ...sshArguments(server, user, command, { flags: ["-t"] })];
  const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  tmux(
    "new-session",
    "-d",
    "-s",
    "login",
    "-x",
    "100",
    "-y",
    "30",
    `${line}; echo $? >${server.folder}/status; sleep 1000`,
  );
  tmux("set-option", "-g", "status", "off");
  tmux("set-option", "-g", "remain-on-exit", "on");
  t.teardown(() => tmux("kill-server"));
  await shows(/\$\s*$/);
  type("PS1='ready> '", "Enter");
  await shows(/^ready>$/m);
}

t.test("A client that is killed hangs up the terminal and all that runs on it", async (t) => {
  await login(t);
  type("cat", "Enter");
  const own = await until("cat runs", () => {
    const found = processes().filter(({ uid }) => uid === user.uid);
    return found.some(({ title }) => title === "cat") && found;
  });
  t.ok(
    own.some(({ title }) => title === "-sh"),
    own.map(({ title }) => title).join(),
  );
  const before = server.events("connection.ended").length;
  const pane = Number(tmux("list-panes", "-t", "login", "-F", "#{pane_pid}"));
  for (const found of processes()) if (found.parent === pane) killSeen(found);
  await until("the user's processes are gone", () => !own.some(isAlive));
  await server.connection(before);
});

t.test("A program sees the terminal's size, also when it changes", async (t) => {
  await login(t);
  type("stty size; trap 'stty size' WINCH", "Enter");
  await shows(/^30 100$/m);
  tmux("resize-window", "-t", "login", "-x", "72", "-y", "19");
  type("", "Enter");
  await shows(/^19 72$/m);
  type("stty size; tty; echo $TERM", "Enter");
  await shows(/\/dev\/pts\/\d+\n\S+/);
  type("exit 5", "Enter");
  await ends(5);
});

t.test("Ctrl-C interrupts, Ctrl-Z stops, fg continues, Ctrl-D ends", async (t) => {
  await login(t);
  type("sleep 1000", "Enter");
  await until("sleep runs", () => processes().some(({ uid, title }) => uid === user.uid && title === "sleep 1000")); // prettier-ignore
  type("C-c");
  await shows(/\^C\s*\n*ready>$/m);
  type("echo status=$?", "Enter");
  await shows(/^status=130$/m);
  type("cat >typed", "Enter");
  const typed = (): string =>
    existsSync(`${user.home}/typed`) ? readFileSync(`${user.home}/typed`, "utf8") : "";
  type("first", "Enter");
  // Ctrl-Z throws away what nobody has read yet.
  await until("cat has the first line", () => typed() === "first\n");
  type("C-z");
  await shows(/Stopped/);
  type("jobs -l; fg", "Enter");
  await shows(/Stopped.*\ncat 1?>typed$/m);
  type("second", "Enter");
  type("C-d");
  await until("cat has all", () => typed() === "first\nsecond\n");
  type("C-d");
  await ends(0);
});

t.test("vim edits a file over the whole screen", async (t) => {
  await login(t);
  type("TERM=screen vim -u NONE -N edited", "Enter");
  await shows(/^~\n[\s\S]*\n.*edited/m);
  type("i", "A line of text", "Enter", "und noch eine: äöü", "Escape");
  await shows(/A line of text\nund noch eine/);
  type("yyp", ":set number", "Enter");
  await shows(/^\s*3 und noch eine/m);
  type(":wq", "Enter");
  await shows(/vim -u NONE -N edited\nready>$/m);
  const text = readFileSync(`${user.home}/edited`, "utf8");
  t.equal(text, "A line of text\nund noch eine: äöü\nund noch eine: äöü\n");
});

t.test("Nothing of all that is left", async () => {
  await server.endedConnections();
  await server.stop();
  await server.isGone();
  await until("the user has no process", () => !processes().some(({ uid }) => uid === user.uid));
});
