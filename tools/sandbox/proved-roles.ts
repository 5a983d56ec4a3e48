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
import { unconfinedThreads } from "../../sandbox/verify-signer.ts";
import type { Attempt } from "./attempt.ts";
import { brokerAttempts, listenerAttempts, signerAttempts } from "./attempts/other-roles.ts";
import { sessionAttempts } from "./attempts/session.ts";

export interface RoleToProve {
  readonly attempts: readonly Attempt[];
  /** Layers can be left out one by one; else all or none. */
  readonly hasLayers: boolean;
  /** Those that it has. */
  readonly layers: ReadonlySet<LayerName>;
  /** Confines the calling process. Returns what could not be had. */
  readonly confine: (
    confinement: SessionConfinement,
    without: ReadonlySet<LayerName>,
    sessionPid: number,
  ) => readonly string[];
  /** What is wrong, as whoever waits for it in the server finds out; a session process has its own way (broker/session-process.ts). */
  readonly verify: (pid: number) => readonly string[];
  readonly filter: (sessionPid: number) => readonly Instruction[];
}

const all: ReadonlySet<LayerName> = new Set(layerNames);
const isNone = (without: ReadonlySet<LayerName>): boolean => without.size === all.size;

export type ProvedRole = "session" | "broker" | "signer" | "listener";

export const provedRoles: Readonly<Record<ProvedRole, RoleToProve>> = {
  session: {
    attempts: sessionAttempts,
    hasLayers: true,
    layers: all,
    confine: (confinement, without) => confineSessionProcess(confinement, undefined, without),
    verify: () => [],
    filter: () => compile(session),
  },
  broker: {
    attempts: brokerAttempts,
    hasLayers: true,
    layers: new Set(["securebits", "capabilities", "undumpable", "rlimits", "noNewPrivs", "landlock", "mdwe", "seccomp"]), // prettier-ignore
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
    hasLayers: false,
    layers: new Set(),
    confine: ({ uid, gid }, without) => {
      if (isNone(without)) return [];
      remakeLoop();
      return confineSigner({ uid, gid, changeIdentity: true });
    },
    verify: unconfinedThreads,
    filter: () => compile(signer),
  },
  listener: {
    attempts: listenerAttempts,
    hasLayers: false,
    layers: new Set(),
    confine: ({ required }, without) => {
      if (isNone(without)) return [];
      remakeLoop();
      return confineListener({ isRoot: true, required, writableFolders: [], usesAbstractSocket: false }); // prettier-ignore
    },
    // confineListener reads every thread back itself, and throws.
    verify: () => [],
    filter: () => compile(listener, listenerOtherwise),
  },
};
export const isProvedRole = (name: string): name is ProvedRole => Object.hasOwn(provedRoles, name);
