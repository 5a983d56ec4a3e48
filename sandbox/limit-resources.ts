// The rlimits layer of a process that makes no process and no file.
import { setRlimit } from "../native/confine.ts";
import { resource } from "./constants.ts";

/** V8's heap limit is far below; this bounds what native code could take. */
const maxDataBytes = 1024 * 1024 * 1024;

/**
 * No process, no file growth, no core, no locked memory; a bound on data. Of the whole process; cannot be undone. Not NOFILE: the kernel
 * measures the descriptors that all of root's processes have on their way by the sender's limit.
 */
export function limitResources(): void {
  for (const limit of [resource.nproc, resource.fsize, resource.core, resource.memlock])
    setRlimit(limit, 0, 0);
  setRlimit(resource.data, maxDataBytes, maxDataBytes);
}
