// ListenAddress: where to listen, and how -T says it.
import { isIP } from "node:net";
import { port } from "./values.ts";

export interface ListenAddress {
  /** Numeric, without brackets; "" is every address of the families allowed. */
  readonly address: string;
  /** Undefined: the Port lines say. */
  readonly port?: number;
}

/** `host`, `host:port`, `[v6]:port`, bare v6. `localhost` is both of its addresses; no other name is resolved: a start must not hang on DNS. */
export function listenAddress(word: string): ListenAddress[] {
  const [, host = word, given] =
    /^\[([^\]]+)\](?::(\d+))?$/.exec(word) ?? /^([^:]+)(?::(\d+))?$/.exec(word) ?? [];
  const addresses = host === "localhost" ? ["127.0.0.1", "::1"] : [host];
  if (addresses.some((address) => isIP(address) === 0)) {
    throw new RangeError(`bad addr or host: ${word} (wanted: a numeric address or "localhost")`);
  }
  return addresses.map((address) =>
    given === undefined ? { address } : { address, port: port(given) },
  );
}

const anyAddress = { any: ["::", "0.0.0.0"], inet: ["0.0.0.0"], inet6: ["::"] } as const;

/** `address:port` for each that is listened on. */
export function printListenAddresses(
  addresses: readonly ListenAddress[],
  ports: readonly number[],
  family: keyof typeof anyAddress,
): string[] {
  return addresses.flatMap(({ address, port: own }) =>
    (own === undefined ? ports : [own]).flatMap((number) =>
      (address === "" ? anyAddress[family] : [address]).map(
        (one) => `${one.includes(":") ? `[${one}]` : one}:${number}`,
      ),
    ),
  );
}
