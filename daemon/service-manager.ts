// sd_notify(3): tells systemd when the server is ready, reloads and stops. Nothing happens without NOTIFY_SOCKET.
import { closeFd, writeFd } from "../native/descriptors.ts";
import { connectDatagram } from "../native/sockets.ts";

export type ServiceState = "READY=1" | "RELOADING=1" | "STOPPING=1";

export function notifyServiceManager(state: ServiceState): void {
  const path = process.env["NOTIFY_SOCKET"];
  if (path === undefined || path === "") return;
  // sd_notify(3): a reload says when it began, in microseconds of CLOCK_MONOTONIC, which is what hrtime reads.
  const when = state === "RELOADING=1" ? `\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}` : "";
  const message = new TextEncoder().encode(`${state}${when}`);
  try {
    // "@": the abstract namespace.
    const fd = connectDatagram(path.startsWith("@") ? `\0${path.slice(1)}` : path);
    try {
      writeFd(fd, message, 0, message.length);
    } finally {
      closeFd(fd);
    }
  } catch {
    // The manager is gone or never was: the server serves all the same.
  }
}
