// What the log is told when a process has to do without a layer that is not required.
import { isLayerName, withoutLayer } from "../sandbox/layers.ts";
import type { EventSink } from "./events.ts";

const brokersOwn = "broker ";

/** `who`: "the signer lacks". `line` is "NAME: what was seen", with "broker " in front where a broker says it of itself. */
export function sayMissingLayer(events: EventSink, who: string, line: string): void {
  const isBrokers = line.startsWith(brokersOwn);
  const layer = isBrokers ? line.slice(brokersOwn.length) : line;
  const name = layer.slice(0, layer.indexOf(":"));
  const weakened = isLayerName(name) ? `; without it ${withoutLayer[name]}` : "";
  events.event(
    "info",
    "sandbox.layer-missing",
    `${isBrokers ? "brokers lack" : who} a layer of confinement: ${layer}${weakened}`,
    { fields: { layer: name } },
  );
}
