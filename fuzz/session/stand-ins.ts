// Sequences are kept in the lab's names: its users, its public keys, its session ids. On their way to a real broker what is the lab's is replaced by
// what is there, and signatures that the lab's broker would have taken, or that lie in one part, are made anew with the same lie.
import { composeSignedData } from "../../broker/signed-data.ts";
import { requests, type Request } from "../../ipc/monitor.ts";
import { PeerFault } from "../../ipc/peer-fault.ts";
import { decode } from "../../ipc/protocol.ts";
import type { LabKey } from "../../lab/lab-key.ts";
import { labHash } from "../../lab/lab-world.ts";
import { encodeLeniently } from "../../lab/message-bytes.ts";
import { labUsers } from "../../lab/scenario.ts";
import { labKeys } from "./scenarios.ts";

type BodyOf<K extends Request["name"]> = Extract<Request, { name: K }>["body"];

const labPeer = /192\.0\.2\.66 port 50000/g;
const labUser = labUsers.alice.name;
/** Nobody in the lab; on a real machine a user of that name is there. */
const labNobody = "nobody";
const services = ["ssh-connection", "ssh-userauth"].map((name) => Buffer.from(name));

/** The request that bytes are, or undefined where they are none. */
export function requestOf(bytes: Uint8Array, descriptors = 0): Request | undefined {
  try {
    return decode(requests, bytes, descriptors);
  } catch (error) {
    if (error instanceof PeerFault) return undefined;
    throw error;
  }
}

export class StandIns {
  readonly #user: string;
  readonly #keys: ReadonlyMap<string, LabKey>;
  readonly #secret: Uint8Array;
  readonly #peer: string;
  #labClaimed: Uint8Array = new Uint8Array();
  #labId: Uint8Array = new Uint8Array();
  #nextLabId: Uint8Array = new Uint8Array();
  #sessionId: Uint8Array = new Uint8Array();

  /** `secret` is agreed on in every key exchange; `peer` is our end of this connection, "ADDRESS port PORT". */
  constructor(user: string, keys: ReadonlyMap<string, LabKey>, secret: Uint8Array, peer: string) {
    this.#user = user;
    this.#keys = keys;
    this.#secret = secret;
    this.#peer = peer;
  }

  /** The first exchange hash has come: the session id (RFC 4253 section 7.2). */
  exchanged(hash: Uint8Array): void {
    if (this.#sessionId.length > 0) return;
    this.#sessionId = hash;
    this.#labId = this.#nextLabId;
  }

  /** The message as it is sent. What cannot be read is left as it is but for public keys. */
  message(bytes: Uint8Array): Uint8Array {
    const request = requestOf(bytes);
    if (request === undefined) return this.#keysOf(bytes);
    return encodeLeniently(requests[request.name], request.id, this.#body(request));
  }

  #body(request: Request): Readonly<Record<string, unknown>> {
    switch (request.name) {
      case "sign":
        this.#nextLabId = labHash("exchange", request.body);
        return { ...request.body, sharedSecret: request.body.sharedSecret.length === 0 ? request.body.sharedSecret : this.#secret }; // prettier-ignore
      case "lookupUser":
        this.#labClaimed = request.body.user;
        return { ...request.body, user: this.#named(request.body.user) };
      case "log":
        return { ...request.body, text: this.#line(request.body.text) };
      case "publickeyQuery":
        return { ...request.body, blob: this.#keysOf(request.body.blob) };
      case "publickeySign":
        return this.#signed(request.body);
      case "confined":
      case "adopted":
      case "authNone":
      case "authUnsupported":
      case "proveHostKey":
      case "ended":
        return request.body;
    }
  }

  /** A style behind ":" stays. */
  #named(labName: Uint8Array): Uint8Array {
    const [name = "", ...style] = Buffer.from(labName).toString("latin1").split(":");
    const own = name === labUser ? this.#user : name === labNobody ? `${labNobody}-there` : name;
    return Buffer.from([own, ...style].join(":"), "latin1");
  }
  /** Lines about a session are about this one. */
  #line(text: Uint8Array): Uint8Array {
    const latin1 = Buffer.from(text).toString("latin1");
    return Buffer.from(latin1.replaceAll(`user ${labUser} `, `user ${this.#user} `).replace(labPeer, this.#peer), "latin1").subarray(0, 2048); // prettier-ignore
  }
  #keysOf(bytes: Uint8Array): Uint8Array {
    const replaced = Buffer.from(bytes);
    for (const { name, blob } of labKeys)
      for (let at = replaced.indexOf(blob); at >= 0; at = replaced.indexOf(blob, at + 1))
        replaced.set(this.#keys.get(name)?.blob ?? blob, at);
    return replaced;
  }

  #signed(body: BodyOf<"publickeySign">): Readonly<Record<string, unknown>> {
    const blob = this.#keysOf(body.blob);
    const { algorithm, hostBound, hostKey } = body;
    const bound = hostBound ? { hostKey } : {};
    // The key that the message names signs most often; asked first, it is the only one that is tried.
    const named = labKeys.filter((key) => Buffer.from(key.blob).equals(body.blob));
    const keys = [...named, ...labKeys.filter((key) => !named.includes(key))];
    const users = [this.#labClaimed, Buffer.from("root")];
    // Of another session, or of none: those stay as they are.
    const ids = [this.#labId, new Uint8Array(), new Uint8Array(32)];
    for (const key of keys)
      for (const user of users)
        for (const service of services)
          for (const sessionId of ids) {
            const about = { user, service, algorithm, ...bound };
            const data = composeSignedData({ ...about, sessionId, blob: body.blob });
            if (!Buffer.from(key.sign(data, algorithm)).equals(body.signature)) continue;
            const own = composeSignedData({
              ...about,
              sessionId: sessionId === this.#labId ? this.#sessionId : sessionId,
              user: this.#named(user),
              blob,
              ...(hostBound ? { hostKey: this.#keysOf(hostKey) } : {}),
            });
            const signature = (this.#keys.get(key.name) ?? key).sign(own, algorithm);
            return { ...body, blob, hostKey: this.#keysOf(hostKey), signature };
          }
    return { ...body, blob, hostKey: this.#keysOf(hostKey) };
  }
}
