// What the console can be told.

export const commands: Readonly<Record<string, readonly string[]>> = {
  help: ["help [COMMAND]", "this list, or more about one command"],
  messages: ["messages", "every message, and how often the table grants it now"],
  describe: ["describe MESSAGE", "its fields, when it is permitted, where it may lead"],
  send: [
    'send MESSAGE [FIELD=VALUE ...] | send {"name": MESSAGE, "FIELD": VALUE, ...}',
    'sends one message; fields that are not named are empty. Values: text, "quoted", "a"*1000, hex:00ff, base64:AAEC, 7, true, [a,b], $VARIABLE',
  ],
  raw: ["raw HEX | raw base64:...", "sends these bytes as one message"],
  "attach-fd": ["attach-fd [COUNT]", "so many descriptors travel with the next message"],
  "sign-as": [
    "sign-as KEY [user=] [service=] [algorithm=] [session-id=] [host-key=] [blob=]",
    "signs with a private key of yours what an honest client would sign, or other parts, into $signature",
  ],
  keys: ["keys", "keys that are yours or known"],
  permits: ["permits", "what is left of the permits of this phase"],
  state: ["state", "the phase, and all variables"],
  log: ["log [COUNT]", "the last events that the broker wrote"],
  hold: ["hold", "answers that come late wait for `wait`"],
  wait: ["wait", "lets time pass"],
  reset: ["reset", "ends this conversation; a new broker"],
  script: ["script FILE", "does what stands in a file"],
  save: [
    "save FILE",
    "writes what was sent since the last reset as a sequence of the fuzzer's corpus",
  ],
  replay: ["replay FILE", "a new broker, and what a sequence says"],
  exercise: ["exercise", "what is to be done"],
  hint: ["hint", "the next hint"],
  quit: ["quit", "ends the console"],
};

/** Throws RangeError for a command that there is not. */
export function commandHelp(command: string | undefined): string[] {
  if (command === undefined)
    return Object.values(commands).map(([usage = "", what = ""]) => `${usage}\n    ${what}`);
  const found = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (found === undefined) throw new RangeError(`no command ${JSON.stringify(command)}; see help`);
  const [usage = "", what = ""] = found;
  return [usage, `    ${what}`];
}
