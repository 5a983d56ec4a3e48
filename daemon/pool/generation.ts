// A configuration of the server, and the processes that serve with it.
import { closeFd, memfd } from "../../native/descriptors.ts";
import { encodeSnapshot } from "../config-snapshot.ts";
import type { Settings } from "../settings.ts";
import type { SignerProcess } from "./signer-process.ts";
import type { ZygoteProcess } from "./zygote-process.ts";

/** One configuration and the processes that were started with it. */
export class Generation {
  readonly settings: Settings;
  readonly snapshotFd: number;
  signer: SignerProcess | undefined;
  zygote: ZygoteProcess | undefined;
  /** Rehearsing, to take over from `zygote`. */
  successor: ZygoteProcess | undefined;
  successorSinceMs = 0;
  zygoteSinceMs = 0;
  hostKeys: Uint8Array[] | undefined;
  /** A zygote of it has had its canary back. */
  isFit = false;
  /** What the signer's keys wait with until then. */
  onFit: (() => void)[] = [];
  failures = 0;
  #isClosed = false;

  constructor(settings: Settings) {
    this.settings = settings;
    const snapshot = { ...settings, sources: settings.config.sources };
    this.snapshotFd = memfd("sallyport-config", encodeSnapshot(snapshot));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeFd(this.snapshotFd);
    this.signer?.release();
    this.successor?.release();
    this.zygote?.retire();
  }
}
