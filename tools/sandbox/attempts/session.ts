// Everything that is tried from within a session process.
import type { Attempt } from "../attempt.ts";
import { files } from "./files.ts";
import { identity } from "./identity.ts";
import { kernelDoors, otherEntries } from "./kernel.ts";
import { memoryAttempts } from "./memory.ts";
import { namespaces } from "./namespaces.ts";
import { processes } from "./processes.ts";
import { programs } from "./programs.ts";
import { sockets } from "./sockets.ts";

export const sessionAttempts: readonly Attempt[] = [
  ...files,
  ...programs,
  ...memoryAttempts,
  ...sockets,
  ...processes,
  ...namespaces,
  ...identity,
  ...otherEntries,
  ...kernelDoors,
];
