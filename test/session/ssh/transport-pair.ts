// A server and a client transport joined in memory, and what each of them saw.
import type { ByteStream } from "../../../session/ssh/layers.ts";
import { kexMethodNames } from "../../../session/ssh/kex-methods.ts";
import { memoryStreamPair, type MemoryStreamOptions } from "../../../session/ssh/memory-stream.ts";
import { Transport } from "../../../session/ssh/transport.ts";
import type {
  AlgorithmPreferences,
  ClientRole,
  EndReason,
  ServerRole,
  TransportOptions,
} from "../../../session/ssh/transport-options.ts";
import { makeEcdsa, makeEd25519, makeRsa, signParts } from "./host-keys.ts";

export const hostKeys = [makeEd25519(), makeEcdsa(256), makeEcdsa(384), makeEcdsa(521), makeRsa()];

export const ciphers = [
  "chacha20-poly1305@openssh.com",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
];
export const macs = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
];
export const algorithms: AlgorithmPreferences = {
  kex: kexMethodNames,
  hostKey: hostKeys.flatMap((key) => key.algorithms),
  ciphers,
  macs,
};

/** One side, with what it received (copies) and how it ended. */
export interface Side {
  transport: Transport;
  received: Uint8Array[];
  isEstablished: boolean;
  end: EndReason | null;
  /** `onKex` calls. */
  kex: boolean[];
  roomCalls: number;
}

export function makeSide(
  stream: ByteStream,
  role: ServerRole | ClientRole,
  options: Partial<TransportOptions> = {},
): Side {
  const side: Omit<Side, "transport"> & { transport?: Transport } = {
    received: [],
    isEstablished: false,
    end: null,
    kex: [],
    roomCalls: 0,
  };
  const transport = new Transport({
    role,
    stream,
    version: `SSH-2.0-test_${role.side}`,
    algorithms,
    onEstablished() {
      side.isEstablished = true;
    },
    onKex(inProgress) {
      side.kex.push(inProgress);
    },
    onEnd(reason) {
      side.end = reason;
    },
    ...options,
  });
  transport.setReceiver({
    receive(payload) {
      side.received.push(payload.slice());
      return (payload[0] ?? 0) < 200;
    },
    roomAvailable() {
      side.roomCalls += 1;
    },
  });
  return Object.assign(side, { transport });
}

export const serverRole = (): ServerRole => ({
  side: "server",
  hostKeys,
  signExchange(parts, done) {
    done(signParts(hostKeys, parts));
  },
  serverSigAlgs: ["ssh-ed25519", "rsa-sha2-512"],
});
export const clientRole = (): ClientRole => ({ side: "client", verifyHostKey: () => true });

/** Lets every microtask and callback that is due run. */
export async function settled(turns = 4): Promise<void> {
  for (let i = 0; i < turns; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Both sides, started. */
export function makePair(
  given: {
    server?: Partial<TransportOptions>;
    client?: Partial<TransportOptions>;
    stream?: MemoryStreamOptions;
  } = {},
): { server: Side; client: Side } {
  const [a, b] = memoryStreamPair(given.stream);
  const server = makeSide(a, serverRole(), given.server);
  const client = makeSide(b, clientRole(), given.client);
  server.transport.start();
  client.transport.start();
  return { server, client };
}
