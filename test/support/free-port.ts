// A port for a server that cannot choose its own.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Nobody listens on it now. Below the ports that the kernel gives to connections (ip_local_port_range), or one of those could take it before
 * the server has it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once("error", () => {
        resolve(false);
      });
      probe.listen(port, "127.0.0.1", () => {
        probe.close(() => {
          resolve(true);
        });
      });
    });
    if (isFree) return port;
  }
}
