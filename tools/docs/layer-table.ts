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
const prove = test("tools/sandbox/prove", "no attempt of at least sixty, of every family, gets out of a ${role}"); // prettier-ignore
const status = test("tools/sandbox/status", "everything that is required holds, for each role, and is told as JSON"); // prettier-ignore
const missing = test("integration/missing-layers", "A server that requires a layer which cannot be had does not serve"); // prettier-ignore
const outerFilter = test("integration/missing-layers", "In a container's filter a session process without its own is found out"); // prettier-ignore
const irrevocable = test("native/confine", "setIds() changes every id and the groups for good");
const composes = test("daemon/signer/answer", "answer() signs the exchange hash that it composed, with the key of the algorithm"); // prettier-ignore
const signerConfined = test("daemon/signer/main", "the signer is confined on every thread before it says that it is ready"); // prettier-ignore
const listenerThreads = test("sandbox/confine-listener", "Every thread of a confined listener has every layer"); // prettier-ignore
const listenerRefused = test("sandbox/confine-listener", "A confined listener is refused ${attempt}"); // prettier-ignore
const listenerFilter = test("sandbox/confine-listener", "The listener's filter refuses what starts, traces, loads, mounts or leaves"); // prettier-ignore
const listenerSockets = test("sandbox/confine-listener", "The listener's filter makes no socket that Landlock's check of TCP would not see"); // prettier-ignore
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
  row("identity", ["own uid and group", "root", "user namespace", "own uid"], ["own uid, no groups, proved irrevocable", irrevocable], ["root, a user's ids while it reads as the user", asUser]),
  row("capabilities", ["none effective; bounding set whole", "all", "none", "some"], ["none in any set", liars], ["four, each with its reason; bounding set empty", does]),
  row("no_new_privs", ["yes", "no", "yes", "yes"], ["yes", status], ["yes", does]),
  row("system calls by list, arguments too", ["yes; kills one thread", "no filter", "yes", "yes, by thread"], ["yes; kills the process", kills], ["yes; kills the process", dies]),
  row("who checks it, when", ["nobody", "nobody", "a test, and a status page", "a test"], ["the broker, each time, its own filter and not a container's", outerFilter], ["the listener, each time", does]),
  row("no program, no process", ["yes", "no", "no exec", "partly"], ["yes", prove], ["yes", prove]),
  row("no executable memory, ever", ["by the filter", "no", "impossible: a JIT", "by the filter"], ["filter and MDWE", noCode], ["filter and MDWE", noCode]),
  row("files", ["chroot", "all", "chroot", "pivoted root"], ["an empty, read-only root; Landlock", prove], ["to read only; Landlock and filter", refused]),
  row("network", ["the host's; no socket by the filter", "the host's", "a namespace without", "optional"], ["a namespace without; Landlock; no socket by the filter", prove], ["no inet socket; Landlock", noInet]),
  row("other processes", ["the host's; no signal by the filter", "all", "pid namespace", "optional"], ["pid namespace; none to signal", prove], ["its own child to signal, none to look into", oneProcess]),
  row("limits", ["no process, no file growth, one descriptor", "none", "few", "files, descriptors"], ["no process, file growth, core, locked memory; no descriptor before login", prove], ["no process, file growth, core, locked memory", prove]),
  row("descriptors", ["closed, not checked", "as they are", "checked", "closed"], ["an exact list, checked; none arrives before login", prove], ["read-only opens, none created", refused]),
  row("a layer that is missing", ["fatal for two (10.4)", "not noticed", "on the status page", "fatal"], ["fatal or told, by SandboxRequire", missing], ["fatal or told, by SandboxRequire", missing]),
  row("a runtime that the filter does not fit", ["connections reset", "no filter", "found in tests", "found in tests"], ["refused at start, the call named", canary], ["calls of its rules seen in tests", inUse]),
  row("rules that nothing uses", ["not looked for", "no filter", "not looked for", "each is tried"], ["fail a test", inUse], ["fail a test", inUse]),
  row("proved on the machine where it runs", ["no", "no", "status page", "no"], ["`sallyport sandbox prove`", prove], ["`sallyport sandbox prove`", prove]),
  row("what a user's shell inherits of it", ["nothing: another process", "nothing: no layers", "no shell", "no shell"], ["nothing: forked elsewhere", leaks], ["nothing: forked elsewhere", leaks]),
];

/** The two that have nobody's bytes to read: what accepts connections, and what holds the private keys. */
export interface ServiceRow {
  readonly layer: string;
  /** Its listener; it and each monitor hold the host keys. */
  readonly opensshListener: string;
  readonly signer: Cell;
  readonly listener: Cell;
}
const serviceRow = (
  layer: string,
  opensshListener: string,
  [signer, signerTest]: readonly [string, TestName],
  [listener, listenerTest]: readonly [string, TestName],
): ServiceRow => ({
  layer,
  opensshListener,
  signer: { text: signer, test: signerTest },
  listener: { text: listener, test: listenerTest },
});

// prettier-ignore
export const serviceRows: readonly ServiceRow[] = [
  serviceRow("host private keys", "in its memory, and in every monitor's", ["in its memory alone; signs what it has composed itself", composes], ["never", status]),
  serviceRow("identity", "root", ["own uid, no groups", signerConfined], ["root", listenerThreads]),
  serviceRow("capabilities", "all", ["none in any set", signerConfined], ["one, with its reason; bounding set empty", listenerThreads]),
  serviceRow("no_new_privs", "no", ["yes", signerConfined], ["yes", listenerThreads]),
  serviceRow("system calls by list, arguments too", "no filter", ["yes; kills the process", kills], ["yes; refuses with EPERM", listenerFilter]),
  serviceRow("on every thread", "one thread", ["yes: lock, handshake, TSYNC", signerConfined], ["yes: lock, handshake, TSYNC", listenerThreads]),
  serviceRow("who checks it, when", "nobody", ["the listener, before it is used", signerConfined], ["itself, before it accepts; `sandbox status`", status]),
  serviceRow("no program, no process", "no", ["yes", prove], ["yes: a spawner starts its two kinds of children", listenerRefused]),
  serviceRow("no executable memory, ever", "no", ["filter and MDWE", prove], ["filter and MDWE", prove]),
  serviceRow("files", "all", ["none: Landlock and filter", prove], ["to read; to write its logs and pid file: Landlock", listenerRefused]),
  serviceRow("network", "the host's", ["no socket; Landlock", prove], ["accepts; no UDP or raw socket; no TCP out: Landlock (6.7)", listenerSockets]),
  serviceRow("other processes", "all", ["none to signal", prove], ["none to signal", listenerRefused]),
  serviceRow("a layer that is missing", "not noticed", ["fatal or told, by SandboxRequire", missing], ["fatal or told, by SandboxRequire", missing]),
  serviceRow("rules that nothing uses", "no filter", ["fail a test", inUse], ["fail a test", inUse]),
  serviceRow("proved on the machine where it runs", "no", ["`sallyport sandbox prove`", prove], ["`sallyport sandbox prove`", prove]),
];

/** The tests, each once, in the order of their numbers in the tables. */
export const namedTests: readonly TestName[] = [
  ...new Set([
    ...layerRows.flatMap(({ session, broker }) => [session.test, broker.test]),
    ...serviceRows.flatMap(({ signer, listener }) => [signer.test, listener.test]),
  ]),
];
