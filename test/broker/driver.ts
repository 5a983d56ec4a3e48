// Takes a monitor to a phase, as an honest session process would, and offers it any request.
import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { Monitor } from "../../broker/monitor.ts";
import type { Phase } from "../../broker/permits.ts";
import { composeSignedData } from "../../broker/signed-data.ts";
import { loadConfig } from "../../config/load.ts";
import type { Request, RequestName } from "../../ipc/monitor.ts";
import { FakeWorld } from "./fake-world.ts";

const text = (value: string): Uint8Array => Buffer.from(value);
const string = (content: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
};

export class TestKey {
  readonly blob: Uint8Array;
  readonly #privateKey: KeyObject;
  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    this.#privateKey = createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" }));
    const point = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
    this.blob = Buffer.concat([string(text("ssh-ed25519")), string(point)]);
  }
  /** A line of authorized_keys. */
  line(options = ""): string {
    return `${options === "" ? "" : `${options} `}ssh-ed25519 ${Buffer.from(this.blob).toString("base64")} test\n`;
  }
  sign(data: Uint8Array): Uint8Array {
    return Buffer.concat([string(text("ssh-ed25519")), string(sign(null, data, this.#privateKey))]);
  }
}

export const hostKey = new TestKey();
const bytes = new Uint8Array();
const kexInit = Uint8Array.of(20);

/** A body for each request that decodes; what it says is for the monitor to judge. */
export const bodies: { readonly [K in RequestName]: Extract<Request, { name: K }>["body"] } = {
  confined: { missing: [] },
  adopted: {},
  sign: {
    kex: "curve25519-sha256",
    hostKeyAlgorithm: "ssh-ed25519",
    clientVersion: text("SSH-2.0-c"),
    serverVersion: text("SSH-2.0-s"),
    clientKexInit: kexInit,
    serverKexInit: kexInit,
    clientPublic: bytes,
    serverPublic: bytes,
    sharedSecret: Uint8Array.of(1),
  },
  lookupUser: { user: text("alice"), service: text("ssh-connection") },
  authNone: {},
  authUnsupported: { method: text("password") },
  publickeyQuery: { algorithm: "ssh-ed25519", blob: bytes },
  publickeySign: {
    algorithm: "ssh-ed25519",
    blob: bytes,
    signature: bytes,
    hostBound: false,
    hostKey: bytes,
  },
  proveHostKey: { blob: hostKey.blob, algorithm: "ssh-ed25519" },
  log: { level: 1, code: "test", text: text("a line") },
  ended: { reason: 0, code: 0, text: bytes, bytesReceived: 0, bytesSent: 0 },
};

export class Driver {
  readonly world = new FakeWorld();
  readonly monitor: Monitor;
  readonly user: string;
  #id = 0;

  constructor(options: { config?: readonly string[]; user?: string } = {}) {
    this.user = options.user ?? "alice";
    const config = loadConfig({ file: "none", overrides: options.config ?? [] });
    this.monitor = new Monitor(this.world, config, [
      { blob: hostKey.blob, algorithms: ["ssh-ed25519"] },
    ]);
  }

  /** Hands in one request; throws what the monitor throws. */
  ask<K extends RequestName>(
    name: K,
    body: Partial<Extract<Request, { name: K }>["body"]> = {},
  ): void {
    this.#id += 1;
    // The body belongs to the name by construction.
    this.monitor.handle({
      name,
      id: this.#id,
      body: { ...bodies[name], ...body },
    } as unknown as Request);
  }
  /** The phases in order, up to the one wanted. */
  enter(phase: Phase): this {
    if (phase === "confining") return this;
    this.ask("confined");
    if (phase === "handover") return this;
    const address = {
      remoteAddress: "192.0.2.1",
      remotePort: 5,
      localAddress: "192.0.2.2",
      localPort: 22,
    };
    this.monitor.begin({ connection: 1, ...address });
    this.ask("adopted");
    if (phase === "kex") return this;
    this.ask("sign");
    if (phase === "lookup") return this;
    this.ask("lookupUser", { user: text(this.user) });
    if (phase === "authenticating") return this;
    if (phase === "refused") {
      while (this.monitor.phase === "authenticating") this.ask("authUnsupported");
      return this;
    }
    const key = new TestKey();
    this.permit(key);
    this.login(key);
    if (phase === "ended") this.ask("ended");
    return this;
  }
  permit(key: TestKey, options = ""): void {
    const path = "/home/alice/.ssh/authorized_keys";
    this.world.files.set(path, (this.world.files.get(path) ?? "") + key.line(options));
  }
  /** What an honest client signs; `over` changes parts of it. */
  signature(key: TestKey, over: Partial<Parameters<typeof composeSignedData>[0]> = {}): Uint8Array {
    const signed = this.world.answers.find(({ name }) => name === "signed");
    const sessionId = signed?.body["exchangeHash"] as Uint8Array; // the fake world answers with one
    const service = text("ssh-connection");
    return key.sign(
      composeSignedData({
        sessionId,
        user: text(this.user),
        service,
        algorithm: "ssh-ed25519",
        blob: key.blob,
        ...over,
      }),
    );
  }
  login(key: TestKey, over: Partial<Parameters<typeof composeSignedData>[0]> = {}): void {
    this.ask("publickeySign", { blob: key.blob, signature: this.signature(key, over) });
  }
}
