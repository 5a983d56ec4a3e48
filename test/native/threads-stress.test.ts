// Lock and handshakes over and over while pool and V8 threads are busy: each in a process of its own. CI runs some;
// SALLYPORT_STRESS=1000 runs a thousand processes (some minutes).
import { once } from "node:events";
import t from "tap";
import { startProgram } from "./run-program.ts";

const processes = Number(process.env["SALLYPORT_STRESS"] ?? "20");
const handshakesEach = 25;
const atOnce = 3;

t.setTimeout(processes * 5000);

t.test(
  `lock and ${handshakesEach} handshakes leave all threads confined, in each of ${processes} busy processes`,
  async (t) => {
    const odd: string[] = [];
    let begun = 0;
    let wasBusy = 0;
    const runner = async (): Promise<void> => {
      while (begun < processes) {
        begun += 1;
        const child = startProgram("threads", ["stress", String(handshakesEach)], []);
        t.teardown(() => child.kill("SIGKILL"));
        let out = "";
        child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
        const [status, signal] = (await once(child, "close")) as [number | null, string | null];
        if (status !== 0 || !out.includes('"confined":true'))
          odd.push(`${status ?? signal ?? ""} ${out}`);
        if (out.includes('"working":true')) wasBusy += 1;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, runner));
    t.same(odd, []);
    t.equal(wasBusy, processes, "the pool was at work when the last handshake had ended");
  },
);
