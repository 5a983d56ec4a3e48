// Our layers against what others stack, for docs/sandbox.md: each cell of ours names the test that shows it. Facts of others: OpenSSH 10.5
// (sandbox-seccomp-filter.c, and /proc of a running one), Chromium's sandbox/linux/README.md, Firecracker's docs/seccomp.md and docs/jailer.md.

export interface TestName {
  readonly file: string;
  /** As it stands in the source: a name that is built has its `${}` here too. */
  readonly name: string;
}
interface Cell {
  readonly text: string;
  readonly test: TestName;
}
export interface LayerRow {
  readonly layer: string;
  readonly opensshChild: string;
  readonly opensshMonitor: string;
  readonly chromiumRenderer: string;
  readonly firecracker: string;
  readonly session: Cell;
  readonly broker: Cell;
}

const test = (file: string, name: string): TestName => ({ file: `test/${file}.test.ts`, name });
const liars = test(
  "hostile/broker-liars",
  "A session process that ${what} never gets a connection",
);
const prove = test("tools/sandbox/prove", "no attempt of at least sixty, of every family, gets out of a session process"); // prettier-ignore
const dies = test("sandbox/confine-broker", "A confined broker dies of ${attempt}");
const refused = test("sandbox/confine-broker", "A confined broker is refused ${attempt}");
const does = test("sandbox/confine-broker", "A confined broker does what it is for: it reads, looks up, limits and ends its child"); // prettier-ignore
const noInet = test("sandbox/confine-broker", "A confined broker has no inet socket where users come from daemons, either"); // prettier-ignore
const oneProcess = test("sandbox/confine-broker", "The broker's filter knows one process: its own child"); // prettier-ignore
const asUser = test("sandbox/confine-broker", "A confined broker that became a user has nothing more for it"); // prettier-ignore
const kills = test("sandbox/bpf-compiler", "compile() kills every call that no rule names, in every policy"); // prettier-ignore
const noCode = test("sandbox/bpf-compiler", "compile() refuses executable memory in mmap, mprotect, and in bits above 32"); // prettier-ignore
const inUse = test("integration/rules-in-use", "Every rule of the ${role} policy is used, or says why it is rare"); // prettier-ignore
const leaks = test("integration/leaks", "A login has the same as behind sshd: ${name}");
const canary = test("integration/canary", "A server whose policy lacks ${call} refuses to serve, and says so"); // prettier-ignore

const row = (
  layer: string,
  [opensshChild, opensshMonitor, chromiumRenderer, firecracker]: readonly [string, string, string, string], // prettier-ignore
  [session, sessionTest]: readonly [string, TestName],
  [broker, brokerTest]: readonly [string, TestName],
): LayerRow => ({
  layer,
  opensshChild,
  opensshMonitor,
  chromiumRenderer,
  firecracker,
  session: { text: session, test: sessionTest },
  broker: { text: broker, test: brokerTest },
});

// prettier-ignore
export const layerRows: readonly LayerRow[] = [
  row("identity", ["own uid, no groups", "root", "user namespace", "own uid"], ["own uid, no groups, proved irrevocable", liars], ["root, a user's ids while it reads as the user", asUser]),
  row("capabilities", ["none effective; bounding set whole", "all", "none", "some"], ["none in any set", liars], ["four, each with its reason; bounding set empty", does]),
  row("no_new_privs", ["yes", "no", "yes", "yes"], ["yes", liars], ["yes", does]),
  row("system calls by list, arguments too", ["yes; kills one thread", "no filter", "yes", "yes, by thread"], ["yes; kills the process", kills], ["yes; kills the process", dies]),
  row("who checks it, when", ["nobody", "nobody", "a test, and a status page", "a test"], ["the broker, each time", liars], ["the listener, each time", does]),
  row("no program, no process", ["yes", "no", "no exec", "partly"], ["yes", prove], ["yes", dies]),
  row("no executable memory, ever", ["by the filter", "no", "impossible: a JIT", "by the filter"], ["filter and MDWE", noCode], ["filter and MDWE", noCode]),
  row("files", ["chroot", "all", "chroot", "pivoted root"], ["an empty, read-only root; Landlock", prove], ["to read only; Landlock and filter", refused]),
  row("network", ["the host's", "the host's", "a namespace without", "optional"], ["a namespace without; Landlock", prove], ["no inet socket; Landlock", noInet]),
  row("other processes", ["seen, same uid", "all", "pid namespace", "optional"], ["pid namespace; none to signal", prove], ["its own child to signal, none to look into", oneProcess]),
  row("descriptors", ["closed, not checked", "as they are", "checked", "closed"], ["an exact list, checked; none arrives before login", liars], ["read-only opens, none created", refused]),
  row("a layer that is missing", ["fatal for two (10.4)", "not noticed", "on the status page", "fatal"], ["fatal or told, by SandboxRequire", liars], ["fatal or told, by SandboxRequire", does]),
  row("a runtime that the filter does not fit", ["connections reset", "no filter", "found in tests", "found in tests"], ["refused at start, the call named", canary], ["calls of its rules seen in tests", inUse]),
  row("rules that nothing uses", ["not looked for", "no filter", "not looked for", "each is tried"], ["fail a test", inUse], ["fail a test", inUse]),
  row("proved on the machine where it runs", ["no", "no", "status page", "no"], ["`sallyport sandbox prove`", prove], ["by tests; `prove` does not yet", dies]),
  row("what a user's shell inherits of it", ["nothing: another process", "nothing: no layers", "no shell", "no shell"], ["nothing: forked elsewhere", leaks], ["nothing: forked elsewhere", leaks]),
];

/** The tests, each once, in the order of their numbers in the table. */
export const namedTests: readonly TestName[] = [
  ...new Set(layerRows.flatMap(({ session, broker }) => [session.test, broker.test])),
];
