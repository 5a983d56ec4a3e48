// Where a copy of the server is taken over: its session process obeys lab/taken-session.ts when the client came to one address, and is itself
// for every other. Confinement and verification have happened by then, and are the real ones.
import type { Patch } from "./patches.ts";

/** Clients that come to this address of the loopback have the session process in their hands. */
export const takenAddress = "127.0.0.66";

const session = "session/main.js";

export const takeOverPatches: readonly Patch[] = [
  {
    file: session,
    search: 'import { ending } from "./end.js";',
    replacement:
      'import { ending } from "./end.js";\nimport { takeOver } from "../lab/taken-session.js";',
  },
  {
    file: session,
    search: "this.#peer = body;",
    replacement: `if (body.localAddress === "${takenAddress}") {
                    takeOver(poller, inherited.monitorFd, fd);
                    return;
                }
                this.#peer = body;`,
  },
];
