// The zygote: loads everything a connection needs, rehearses, then forks brokers and logins. Started by the listener with its control
// socket on descriptor 3 and the configuration on 4; loaded by start.cts, so that nothing of this runs inside the event loop.
import { fstatSync, readSync } from "node:fs";
import { loadConfig } from "../../config/load.ts";
import { zygoteReports } from "../../ipc/listener.ts";
import { encode } from "../../ipc/protocol.ts";
import { closeFd } from "../../native/descriptors.ts";
import { exitNow, prepareFork, setTitle } from "../../native/process.ts";
import { decodeSnapshot } from "../config-snapshot.ts";
import { sendMessage } from "../../native/sockets.ts";
import { proveFitness, type Fitness } from "./fitness.ts";
import { hostKeyFacts } from "./host-keys.ts";
import { prepare } from "./prepare.ts";
import { enterBroker, enterCanary, enterLogin, rehearse } from "./roles.ts";
import { serve } from "./serve.ts";

const controlFd = 3;
const snapshotFd = 4;

prepareFork();
setTitle("sallyportd: zygote");
// By position: the offset of a descriptor is shared with every zygote before this one.
const snapshotBytes = new Uint8Array(fstatSync(snapshotFd).size);
readSync(snapshotFd, snapshotBytes, 0, snapshotBytes.length, 0);
const snapshot = decodeSnapshot(snapshotBytes);
closeFd(snapshotFd);
const config = loadConfig(snapshot);
const prepared = prepare(config);
let hostKeys: ReturnType<typeof hostKeyFacts> = [];

const fitness: Fitness =
  prepared.fault === "" ? proveFitness() : { isCanary: false, fault: prepared.fault, seconds: 0 };
if (fitness.isCanary) enterCanary(fitness.reportFd, config, prepared.privsep);
else {
  const { fault, seconds } = fitness;
  const report = encode(zygoteReports, "fitness", 0, { fault: fault.slice(0, 2000), milliseconds: Math.round(seconds * 1000) }); // prettier-ignore
  // The first message on an empty socket: there is room.
  sendMessage(controlFd, report, 0, report.length, []);
  if (fault !== "") exitNow(1);
  becomeZygote();
}

function becomeZygote(): void {
  const born = serve(controlFd, (order) => {
    hostKeys = hostKeyFacts(order.hostKeys, config.global.hostKeyAlgorithms);
    const go = (): void => {
      if (snapshot.rehearse) rehearse(config, hostKeys, prepared.privsep);
    };
    go(); // compiles, and allocates what a first time allocates
    prepared.collect();
    go(); // what children find learned: a full collection forgets it
    prepared.settle();
  });
  switch (born.role) {
    case "broker":
      enterBroker({
        ...born,
        ...prepared,
        config,
        hostKeys,
        delaySecret: snapshot.delaySecret,
        isRecorded: snapshot.isRecorded,
        namesViolations: snapshot.debug > 0,
      });
      break;
    case "login":
      enterLogin({ ...born, ...prepared, config, openFiles: snapshot.openFiles });
      break;
    case "done":
      exitNow(0);
  }
}
