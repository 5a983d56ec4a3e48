// What is told to the listener is bounded here, whoever made it up: a peer's text, a user's own file, a name.
import type { LogEvent } from "./world.ts";

/** UTF-16 units. With the dots behind what is cut they fit the listener's message however many bytes of UTF-8 they become. */
const maxEventText = 2000;
const maxEventCode = 60;
const maxEventField = 500;

const cut = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max)}...`;

/** The same event, its texts cut. */
export function boundedEvent(event: LogEvent): LogEvent {
  const { code, text, fields = {} } = event;
  const texts = Object.values(fields).filter((value) => typeof value === "string");
  // Nearly all are.
  const isShort = text.length <= maxEventText && code.length <= maxEventCode && texts.every((value) => value.length <= maxEventField); // prettier-ignore
  if (isShort) return event;
  return {
    ...event,
    code: cut(code, maxEventCode),
    text: cut(text, maxEventText),
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === "string" ? cut(value, maxEventField) : value,
      ]),
    ),
  };
}
