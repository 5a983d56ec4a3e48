// How many seccomp filters this process was started with: a container's, which everything in it has, so that "a filter is loaded" says nothing.
import { statusOf } from "./proc-status.ts";

/** Seccomp_filters of /proc/PID/status (Linux 5.9); NaN, which equals nothing, where the kernel does not say. */
export const filtersOf = (pid: number | "self"): number =>
  Number(statusOf(`/proc/${pid}/status`).get("Seccomp_filters") ?? Number.NaN);

/** Counted when this is loaded, before anything of ours is confined. */
export const inheritedFilters = filtersOf("self");
