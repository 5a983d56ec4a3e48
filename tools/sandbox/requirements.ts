// What must hold for each role: the words of the code that decides it when the server runs (sandbox/verify*.ts).
import type { Config } from "../../config/load.ts";
import { userByName } from "../../native/users.ts";
import { listenerKeeps, listenerKeepsForFolders } from "../../sandbox/confine-listener.ts";
import { requiredLayers, withoutLayer, type LayerName } from "../../sandbox/layers.ts";
import { unconfinedBroker } from "../../sandbox/verify-broker.ts";
import { unconfinedSigner } from "../../sandbox/verify-signer.ts";
import { verifySessionProcess } from "../../sandbox/verify.ts";
import type { ProcessFacts } from "./process-facts.ts";
import { SandboxError } from "./sandbox-error.ts";
import type { ServerProcess } from "./server-processes.ts";

export interface Judgement {
  /** "free": this role is not confined, and nothing is required of it. */
  readonly verdict: "holds" | "broken" | "free";
  /** Required, and not so. */
  readonly wrong: readonly string[];
  /** Not so, and not required. */
  readonly missing: readonly string[];
}
const free: Judgement = { verdict: "free", wrong: [], missing: [] };
const judged = (wrong: readonly string[], missing: readonly string[] = []): Judgement => ({
  verdict: wrong.length === 0 ? "holds" : "broken",
  wrong,
  missing,
});

export interface Requirements {
  readonly uid: number;
  readonly gid: number;
  readonly isRoot: boolean;
  readonly required: ReadonlySet<LayerName>;
  /** Filters that the server was started with: a container's. */
  readonly inheritedFilters: number;
}
/** `uid`: the listener's. */
export function requirementsOf(
  { global }: Config,
  uid: number,
  inheritedFilters: number,
): Requirements {
  const isRoot = uid === 0;
  const user = isRoot ? userByName(global.privsepUser) : { uid, gid: process.getgid?.() ?? 0 };
  if (user === null) throw new SandboxError(`privsep user ${global.privsepUser} does not exist`);
  return { uid: user.uid, gid: user.gid, isRoot, required: requiredLayers(global.sandboxRequire, isRoot), inheritedFilters }; // prettier-ignore
}

/** A session process that serves has its connection, its worker's socket, and what its channels were given. */
const servingDescriptor = /^(anon_inode:\[(eventpoll|eventfd)\]|pipe:\[\d+\]|socket:\[\d+\]|\/dev\/ptmx|\/dev\/pts\/\d+)( \(deleted\))?$/; // prettier-ignore

function judgeSession(
  { pid, title }: ServerProcess,
  facts: ProcessFacts,
  wanted: Requirements,
): Judgement {
  const { missing } = verifySessionProcess(pid, wanted, [], wanted.inheritedFilters);
  const isWarm = title.includes("[warm]");
  // The broker looks before the connection is handed over; afterwards there is more than its one socket.
  const strange =
    isWarm || facts.descriptors === "unseen"
      ? undefined
      : facts.descriptors.find(({ is }) => !servingDescriptor.test(is));
  const lines = [
    ...missing.filter((line) => isWarm || !line.startsWith("descriptors:")),
    ...(strange === undefined ? [] : [`descriptors: ${strange.fd} is ${strange.is}`]),
  ];
  const isRequired = (line: string): boolean =>
    wanted.required.has(line.slice(0, line.indexOf(":")) as LayerName);
  return judged(
    lines.filter(isRequired),
    lines
      .filter((line) => !isRequired(line))
      .map((line) => `${line}; without it ${withoutLayer[line.slice(0, line.indexOf(":")) as LayerName]}`), // prettier-ignore
  );
}

function judgeListener(
  { threads }: ProcessFacts,
  { isRoot, inheritedFilters }: Requirements,
): Judgement {
  const kept = [listenerKeeps, listenerKeepsForFolders].map((set) => set.toString(16).padStart(16, "0")); // prettier-ignore
  return judged(
    threads.flatMap(
      ({ tid, name, noNewPrivs, filters, capabilities: { permitted, effective } }) => {
        const wrong = [
          ...(noNewPrivs ? [] : ["NoNewPrivs is 0"]),
          // The lock against new threads is one of its own.
          ...(filters !== inheritedFilters + 2 ? [`Seccomp_filters is ${filters}`] : []),
          ...(isRoot && !kept.includes(permitted) ? [`CapPrm is ${permitted}`] : []),
          ...(isRoot && !kept.includes(effective) ? [`CapEff is ${effective}`] : []),
        ];
        return wrong.map((text) => `${name} (${tid}): ${text}`);
      },
    ),
  );
}

export function judge(
  process: ServerProcess,
  facts: ProcessFacts,
  wanted: Requirements,
): Judgement {
  switch (process.role) {
    case "listener":
      return judgeListener(facts, wanted);
    case "signer":
      return judged(
        unconfinedSigner(
          process.pid,
          { ...wanted, changeIdentity: wanted.isRoot },
          wanted.inheritedFilters,
        ),
      );
    case "broker":
      return judged(unconfinedBroker(process.pid, wanted.isRoot, wanted.inheritedFilters));
    case "session":
      return judgeSession(process, facts, wanted);
    // They start programs and processes for others, who confine themselves: nothing of the network reaches them.
    case "spawner":
    case "zygote":
    // The user's own from here on.
    case "login":
    case "worker":
      return free;
  }
}
