// Match blocks: criteria that are all ANDed, against the facts of a connection.
import {
  checkAddressList,
  matchesAddressList,
  matchesGroupList,
  matchesPatternList,
} from "./patterns.ts";
import { port } from "./values.ts";

/** What is known of a connection; a criterion about something not known yet does not hold. */
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

// prettier-ignore
const names = [
  "all", "invalid-user", "user", "group", "host", "address", "localaddress", "localport", "version",
] as const;
type Name = (typeof names)[number];
export interface Criterion {
  readonly name: Name;
  readonly values: readonly string[];
}

/** What `Match Version` compares: the software version of our identification line. */
export const softwareVersion = "sallyport_0.1";

function readValues(name: Name, written: string, value: string | undefined): readonly string[] {
  if (value === undefined || value === "")
    throw new RangeError(`Bad Match condition: missing criteria for ${written}`);
  // One port; sshd takes no list here.
  if (name === "localport") return [String(port(value))];
  const values = value.split(",");
  // A bad mask is found now, not when the first connection comes.
  if (name === "address" || name === "localaddress") checkAddressList(values);
  return name === "host" ? values.map((pattern) => pattern.toLowerCase()) : values;
}

/** `criterion value` and `criterion=value`. Throws RangeError. */
export function parseCriteria(words: readonly string[]): Criterion[] {
  const criteria: Criterion[] = [];
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? "";
    const equals = word.indexOf("=");
    const written = equals < 0 ? word : word.slice(0, equals);
    const name = names.find((known) => known === written.toLowerCase());
    if (name === undefined)
      throw new RangeError(`Bad Match condition: unsupported Match attribute ${written}`);
    if (name === "all" || name === "invalid-user") {
      if (equals >= 0) throw new RangeError(`Bad Match condition: ${written} takes no value`);
      criteria.push({ name, values: [] });
      continue;
    }
    if (equals < 0) i += 1;
    const value = equals < 0 ? words[i] : word.slice(equals + 1);
    criteria.push({ name, values: readValues(name, written, value) });
  }
  if (criteria.length === 0) throw new RangeError("Bad Match condition: one attribute is needed");
  if (criteria.length > 1 && criteria.some(({ name }) => name === "all")) {
    throw new RangeError(
      "Bad Match condition: 'all' cannot be combined with other Match attributes",
    );
  }
  return criteria;
}

function holds({ name, values }: Criterion, context: MatchContext): boolean {
  const fits = (fact: string | undefined): boolean =>
    fact !== undefined && matchesPatternList(fact, values);
  const covers = (address: string | undefined): boolean =>
    address !== undefined && matchesAddressList(address, values);
  switch (name) {
    case "all":
      return true;
    case "invalid-user":
      return context.invalidUser === true;
    case "user":
      return fits(context.user);
    case "group":
      return context.groups !== undefined && matchesGroupList(context.groups(), values);
    case "host":
      return fits(context.host?.toLowerCase());
    case "address":
      return covers(context.address);
    case "localaddress":
      return covers(context.localAddress);
    case "localport":
      return context.localPort !== undefined && values.includes(String(context.localPort));
    case "version":
      return fits(softwareVersion);
  }
}

export const matches = (criteria: readonly Criterion[], context: MatchContext): boolean =>
  criteria.every((criterion) => holds(criterion, context));
