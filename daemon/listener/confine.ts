// Confines the listener when it listens: what it may write to is what its configuration names now.
import { dirname, isAbsolute } from "node:path";
import type { Flags } from "../../config/flags.ts";
import { landlockAbi } from "../../native/confine.ts";
import { confineListener } from "../../sandbox/confine-listener.ts";
import { landlockLacks } from "../../sandbox/landlock.ts";
import { requiredLayers } from "../../sandbox/layers.ts";
import type { EventSink } from "../events.ts";
import { sayMissingLayer } from "../say-missing-layer.ts";
import type { Settings } from "../settings.ts";

/** Folders of the logs, which are opened anew after SIGHUP. */
function logFolders({ config }: Settings, { logFile }: Flags): string[] {
  const files = [config.global.eventLog, logFile].filter((path) => path !== undefined);
  return [...new Set(files.filter(isAbsolute).map((path) => dirname(path)))];
}

/** Throws when a required layer cannot be had; tells what else is missing. Nothing must be accepted before it returns. */
export function confineThisListener(settings: Settings, flags: Flags, events: EventSink): void {
  const isRoot = process.geteuid?.() === 0;
  const { pidFile } = settings.config.global;
  const abi = landlockAbi();
  const lacking = landlockLacks(abi);
  if (lacking.length > 0)
    events.event(
      "info",
      "sandbox.layer-partial",
      `Landlock of this kernel (ABI ${abi}) does not restrict ${lacking.join(", ")}: there the other layers hold alone`,
      { fields: { layer: "landlock", abi } },
    );
  const missing = confineListener({
    isRoot,
    required: requiredLayers(settings.config.global.sandboxRequire, isRoot),
    writableFolders: logFolders(settings, flags),
    pidFile: isAbsolute(pidFile) ? pidFile : undefined, // "none"
    usesAbstractSocket: process.env["NOTIFY_SOCKET"]?.startsWith("@") === true,
  });
  for (const layer of missing) sayMissingLayer(events, "the listener lacks", layer);
}
