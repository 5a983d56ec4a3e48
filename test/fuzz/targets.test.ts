// Entry points for other engines: each must take any bytes, and some of them are taken here.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import t from "tap";
import { parseSequence, sequenceBytes } from "../../fuzz/sequence.ts";
import * as authorizedKeys from "../../fuzz/targets/authorized-keys.ts";
import * as broker from "../../fuzz/targets/broker.ts";
import * as codec from "../../fuzz/targets/codec.ts";
import * as packet from "../../fuzz/targets/packet.ts";
import * as publicKey from "../../fuzz/targets/public-key.ts";
import * as sshdConfig from "../../fuzz/targets/sshd-config.ts";
import { LabKey } from "../../lab/lab-key.ts";

const corpusFolder = fileURLToPath(new URL("../../fuzz/corpus/broker", import.meta.url));
const sequences = readdirSync(corpusFolder).map((name) =>
  parseSequence(readFileSync(`${corpusFolder}/${name}`, "utf8"), name),
);
const key = new LabKey("plain");
const kexInit = Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), Buffer.from("0000002c0614", "hex"), Buffer.alloc(42)]); // prettier-ignore
const withLength = (bytes: Uint8Array, more: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes, more]);

const targets: Readonly<Record<string, { fuzz: (data: Uint8Array) => void; seeds: Uint8Array[] }>> = {
  broker: { fuzz: broker.fuzz, seeds: sequences.map(sequenceBytes) },
  codec: {
    fuzz: codec.fuzz,
    seeds: sequences.flatMap(({ moves }) => moves.slice(0, 20).flatMap((move) => (move.kind === "send" ? [Buffer.concat([Uint8Array.of(0, move.descriptors), move.bytes])] : []))),
  },
  "public key": { fuzz: publicKey.fuzz, seeds: [withLength(key.blob, key.sign(Uint8Array.of(2)))] },
  "authorized keys": {
    fuzz: authorizedKeys.fuzz,
    seeds: ["", 'command="x",no-pty', "restrict", 'from="::1"'].map((options) => Buffer.from(key.line(options))),
  },
  "sshd_config": { fuzz: sshdConfig.fuzz, seeds: [Buffer.from("Port 22\nMatch User x\n  MaxAuthTries 2\n"), Buffer.from('Banner "x\n')] },
  packet: { fuzz: packet.fuzz, seeds: [kexInit] },
}; // prettier-ignore

for (const [name, { fuzz, seeds }] of Object.entries(targets))
  t.test(`The target "${name}" takes any bytes, and its seeds, changed anywhere`, (t) => {
    for (const seed of seeds) fuzz(seed);
    const changed = fc
      .tuple(fc.constantFrom(...seeds), fc.nat(), fc.nat({ max: 255 }), fc.boolean())
      .map(([seed, at, byte, cut]) => {
        const out = Uint8Array.from(seed);
        if (out.length > 0) out[at % out.length] = byte;
        return cut ? out.subarray(0, at % (out.length + 1)) : out;
      });
    const count = name === "broker" ? 100 : 400;
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), changed), fuzz), { seed: 4, numRuns: count }); // prettier-ignore
    t.pass(`${seeds.length} seeds`);
    t.end();
  });
