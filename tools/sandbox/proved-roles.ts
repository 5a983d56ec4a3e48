// The processes that are escaped from: how each is confined (by the server's own code), looked at, and what is tried from within it.
import { remakeLoop } from "../../native/process.ts";
import type { Instruction } from "../../sandbox/bpf.ts";
import { compile } from "../../sandbox/bpf-compiler.ts";
import { BrokerFilter, confineBroker } from "../../sandbox/confine-broker.ts";
import { confineListener } from "../../sandbox/confine-listener.ts";
import { confineSessionProcess, type SessionConfinement } from "../../sandbox/confine-session.ts";
import { confineSigner } from "../../sandbox/confine-signer.ts";
import { layerNames, type LayerName } from "../../sandbox/layers.ts";
import { broker } from "../../sandbox/policies/broker.ts";
import { listener, listenerOtherwise } from "../../sandbox/policies/listener.ts";
import { session } from "../../sandbox/policies/session.ts";
import { signer } from "../../sandbox/policies/signer.ts";
import { unconfinedBroker } from "../../sandbox/verify-broker.ts";
import { unconfinedSigner } from "../../sandbox/verify-signer.ts";
import type { Attempt } from "./attempt.ts";
import { brokerAttempts, listenerAttempts, signerAttempts } from "./attempts/other-roles.ts";
import { sessionAttempts } from "./attempts/session.ts";

export interface RoleToProve {
  readonly attempts: readonly Attempt[];
  /** Those that it has. */
  readonly layers: ReadonlySet<LayerName>;
  /** Confines the calling process. Returns what could not be had. */
  readonly confine: (
    confinement: SessionConfinement,
    without: ReadonlySet<LayerName>,
    sessionPid: number,
  ) => readonly string[];
  /** What is wrong, as whoever waits for it in the server finds out; a session process has its own way (broker/session-process.ts). */
  readonly verify: (
    pid: number,
    privsep: { readonly uid: number; readonly gid: number },
  ) => readonly string[];
  readonly filter: (sessionPid: number) => readonly Instruction[];
}

const all: ReadonlySet<LayerName> = new Set(layerNames);
const ofEveryProcess: readonly LayerName[] = [
  ...(["securebits", "capabilities", "undumpable", "rlimits", "noNewPrivs"] as const),
  ...(["landlock", "mdwe", "seccomp"] as const),
];
const isNone = (without: ReadonlySet<LayerName>): boolean => without.size === all.size;

export type ProvedRole = "session" | "broker" | "signer" | "listener";

export const provedRoles: Readonly<Record<ProvedRole, RoleToProve>> = {
  session: {
    attempts: sessionAttempts,
    layers: all,
    confine: (confinement, without) => confineSessionProcess(confinement, undefined, without),
    verify: () => [],
    filter: () => compile(session),
  },
  broker: {
    attempts: brokerAttempts,
    layers: new Set(ofEveryProcess),
    confine: ({ required }, without, sessionPid) =>
      confineBroker(
        { filter: new BrokerFilter(false), isRoot: true, required },
        sessionPid,
        without,
      ),
    verify: (pid) => unconfinedBroker(pid, true),
    filter: (sessionPid) => compile(broker({ sessionPid, usesDatabaseDaemons: false })),
  },
  signer: {
    attempts: signerAttempts,
    layers: new Set([...ofEveryProcess, "identity"]),
    confine: ({ uid, gid, required }, without) => {
      if (isNone(without)) return [];
      remakeLoop();
      return confineSigner({ uid, gid, changeIdentity: true, required }, without);
    },
    verify: (pid, ids) => unconfinedSigner(pid, { ...ids, changeIdentity: true }),
    filter: () => compile(signer),
  },
  listener: {
    attempts: listenerAttempts,
    layers: new Set(ofEveryProcess),
    confine: ({ required }, without) => {
      if (isNone(without)) return [];
      remakeLoop();
      const where = { writableFolders: [], usesAbstractSocket: false };
      return confineListener({ isRoot: true, required, ...where }, without);
    },
    // confineListener reads every thread back itself, and throws.
    verify: () => [],
    filter: () => compile(listener, listenerOtherwise),
  },
};
export const isProvedRole = (name: string): name is ProvedRole => Object.hasOwn(provedRoles, name);
