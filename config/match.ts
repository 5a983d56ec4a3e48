// Match blocks: criteria that are all ANDed, against the facts of a connection.
import { matchesAddressList, matchesPatternList } from "./patterns.ts";

/** What is known of a connection; before the user is known only `all` and the address criteria can hold. */
export interface MatchContext {
  readonly user?: string;
  /** Names of the user's groups; called only when a Match asks. */
  readonly groups?: () => readonly string[];
  /** The client's name; without UseDNS its address. */
  readonly host?: string;
  readonly address?: string;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly invalidUser?: boolean;
}
export interface Criterion {
  readonly name: string;
  readonly values: readonly string[];
}

const takesNoValue = new Set(["all", "invalid-user"]);
const known = new Set([
  "user",
  "group",
  "host",
  "address",
  "localaddress",
  "localport",
  "version",
  ...takesNoValue,
]);

/** `crit value crit=value ...`. Throws RangeError as sshd words it. */
export function parseCriteria(words: readonly string[]): Criterion[] {
  const flat = words.flatMap((word) => {
    const parts = /^([a-z-]+)=(.*)$/i.exec(word);
    return parts === null ? [word] : [parts[1] ?? "", parts[2] ?? ""];
  });
  const criteria: Criterion[] = [];
  for (let i = 0; i < flat.length; i += 1) {
    const name = (flat[i] ?? "").toLowerCase();
    if (!known.has(name)) throw new RangeError(`Unsupported Match attribute ${flat[i] ?? ""}`);
    if (takesNoValue.has(name)) {
      criteria.push({ name, values: [] });
      continue;
    }
    i += 1;
    const value = flat[i];
    if (value === undefined || value === "")
      throw new RangeError(`Missing Match criteria for ${name}`);
    criteria.push({ name, values: value.split(",") });
  }
  if (criteria.length === 0) throw new RangeError("Match without criteria");
  if (criteria.length > 1 && criteria.some(({ name }) => name === "all")) {
    throw new RangeError("'all' cannot be combined with other Match attributes");
  }
  // A bad mask is found now, not when the first connection comes.
  for (const { name, values } of criteria) {
    if (name === "address" || name === "localaddress") matchesAddressList("0.0.0.0", values);
  }
  return criteria;
}

const serverVersion = "sallyport_0.1";

/** A criterion about something not known yet does not hold. */
export function matches(criteria: readonly Criterion[], context: MatchContext): boolean {
  return criteria.every(({ name, values }) => {
    switch (name) {
      case "all":
        return true;
      case "invalid-user":
        return context.invalidUser === true;
      case "user":
        return context.user !== undefined && matchesPatternList(context.user, values);
      case "group":
        return context.groups?.().some((group) => matchesPatternList(group, values)) ?? false;
      case "host":
        return context.host !== undefined && matchesPatternList(context.host.toLowerCase(), values);
      case "address":
        return context.address !== undefined && matchesAddressList(context.address, values);
      case "localaddress":
        return (
          context.localAddress !== undefined && matchesAddressList(context.localAddress, values)
        );
      case "localport":
        return context.localPort !== undefined && values.includes(String(context.localPort));
      case "version":
        return matchesPatternList(serverVersion, values);
      default:
        throw new RangeError(`Cannot match ${name}: not a criterion`);
    }
  });
}
