// When a Poller keeps the process alive, and where errors of its callbacks go; `argv[2]` names the case.
import { closeFd, pipeFds, writeFd } from "../../../native/descriptors.ts";
import { Poller } from "../../../native/poller.ts";

const [reader, writer] = pipeFds();
const poller = new Poller();
process.on("exit", () => {
  console.log("ended");
});
const later = () => {
  // Unreferenced: only the Poller can keep us alive until then.
  setTimeout(() => writeFd(writer, Uint8Array.of(1), 0, 1), 20).unref();
};
const told = () => {
  console.log("told");
  poller.remove(reader);
};

const cases: Record<string, () => void> = {
  idle: later,
  watching: () => {
    poller.set(reader, true, false, told);
    later();
  },
  removed: () => {
    poller.set(reader, true, false, told);
    poller.remove(reader);
    later();
  },
  throwing: () => {
    process.on("uncaughtException", (error) => {
      console.log(`uncaught ${error.message}`);
      poller.remove(reader);
      closeFd(reader);
    });
    poller.set(reader, true, false, () => {
      throw new Error("planted");
    });
    later();
  },
  closedInside: () => {
    poller.set(reader, true, false, () => {
      console.log("told");
      poller.close();
    });
    later();
  },
};
cases[process.argv[2] ?? ""]?.();
