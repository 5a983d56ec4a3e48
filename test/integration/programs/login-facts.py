# What hardening a login has inherited, as JSON on stdout. Run by the logged-in user. argv: a folder to write in, a setuid-root `id`, a node with
# its JIT, the pid of a process of the same user that no server has started, a TCP port that listens on the loopback.
import ctypes, json, os, re, resource, signal, socket, subprocess, sys

folder, setuid_id, node, stranger, port = sys.argv[1:6]
libc = ctypes.CDLL(None, use_errno=True)
# From linux/prctl.h.
PRCTLS = {"PDEATHSIG": 2, "DUMPABLE": 3, "KEEPCAPS": 7, "TIMING": 13, "SECCOMP": 21, "TSC": 25, "SECUREBITS": 27, "TIMERSLACK": 30,
          "MCE_KILL": 34, "CHILD_SUBREAPER": 37, "NO_NEW_PRIVS": 39, "THP_DISABLE": 42, "SPECULATION_CTRL": 52, "MDWE": 66}


# Variadic calls take registers whole: a plain int leaves the upper half to chance.
ZEROS = [ctypes.c_long(0)] * 3

def prctl(name):
    value = ctypes.c_int(0)
    if name in ("PDEATHSIG", "CHILD_SUBREAPER", "TSC"):
        libc.prctl(PRCTLS[name], ctypes.byref(value), *ZEROS)
        return value.value
    return libc.prctl(PRCTLS[name], ctypes.c_long(0), *ZEROS)


def read(path):
    with open(path) as file:
        return file.read()


def outcome(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return [done.returncode, done.stdout, done.stderr[:500]]


def attempt(action):
    try:
        action()
        return "done"
    except OSError as error:
        return os.strerror(error.errno)


def dumped():
    """Ends a child by SIGSEGV with the core limit that it has, and with the highest that it may take."""
    told = []
    for soft in (resource.getrlimit(resource.RLIMIT_CORE)[0], resource.getrlimit(resource.RLIMIT_CORE)[1]):
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            resource.setrlimit(resource.RLIMIT_CORE, (soft, resource.getrlimit(resource.RLIMIT_CORE)[1]))
            signal.signal(signal.SIGSEGV, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGSEGV)
        told.append([soft, os.WCOREDUMP(os.waitpid(child, 0)[1])])
    return told


def write():
    with open(f"{folder}/written", "w") as file:
        file.write("x")
    os.rename(f"{folder}/written", f"{folder}/moved")
    os.unlink(f"{folder}/moved")


wanted = re.compile(r"^(Umask|Groups|Uid|Gid|SigQ|SigBlk|SigIgn|SigCgt|Cap\w+|NoNewPrivs|Seccomp\w*|Specul\w+|THP_enabled|Cpus_allowed|untag_mask):")
shell = read(f"/proc/{os.getppid()}/status")
hot = "const f = (n) => { let s = 0; for (let i = 0; i < n; i++) s = (s + i * i) % 1000003; return s; }; for (let i = 0; i < 300; i++) f(2000); %PrepareFunctionForOptimization(f); f(10); %OptimizeFunctionOnNextCall(f); const r = f(10); console.log(r, (%GetOptimizationStatus(f) & 16) !== 0, typeof WebAssembly)"
facts = {
    "status of the shell": [line for line in shell.splitlines() if wanted.match(line) and not line.startswith("SigQ")],
    "limits of the shell": read(f"/proc/{os.getppid()}/limits").splitlines(),
    "prctl": {name: prctl(name) for name in PRCTLS},
    "oom_score_adj": read("/proc/self/oom_score_adj"),
    "coredump_filter": read("/proc/self/coredump_filter"),
    "cgroup": read("/proc/self/cgroup"),
    "namespaces": {name: os.readlink(f"/proc/self/ns/{name}") for name in sorted(os.listdir("/proc/self/ns"))},
    "nice": os.nice(0),
    # Never asked for: the kernel says 0, or what follows from nice 0 once the process has waited for a disk.
    "ioprio": {0: "default", 2 << 13 | 4: "default"}.get(libc.syscall(*map(ctypes.c_long, (251, 1, 0))), "other"),
    "scheduler": [os.sched_getscheduler(0), sorted(os.sched_getaffinity(0))],
    "personality": libc.personality(0xFFFFFFFF),
    "descriptors of the shell": sorted(os.listdir(f"/proc/{os.getppid()}/fd"), key=int),
    "root": os.readlink("/proc/self/root"),
    "session leader": os.getsid(0) == os.getppid(),
    "setuid id": outcome(setuid_id),
    "passwd -S": outcome("passwd", "-S"),
    "unshare -U": outcome("unshare", "-U", "true"),
    "node": outcome(node, "--allow-natives-syntax", "-e", hot),
    # Both of its compilers, at once for everything.
    "java": outcome("java", "-Xcomp", "-Xshare:auto", "-version"),
    "sudo": outcome("sudo", "-n", "/usr/bin/id", "-u"),
    "write": attempt(write),
    "signal": attempt(lambda: os.kill(int(stranger), 0)),
    "look": attempt(lambda: os.readlink(f"/proc/{stranger}/root")),
    "connect": attempt(lambda: socket.create_connection(("127.0.0.1", int(port))).close()),
    "bind": attempt(lambda: socket.create_server(("127.0.0.1", 0)).close()),
    "core": dumped(),
}
print(json.dumps(facts))
