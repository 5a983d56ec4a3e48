import { createHash } from "node:crypto";
import t from "tap";
import { readRequest } from "../../lab/judged-request.ts";
import { Secrets } from "../../lab/judged-secrets.ts";
import { keys } from "../../lab/scenario.ts";
import { delaySecret } from "../../lab/lab-secrets.ts";
import { encodeLeniently } from "../../lab/message-bytes.ts";
import { requests, type RequestName } from "../../ipc/monitor.ts";

const secret = createHash("sha256").update("exchanged").digest();
const signature = keys.alice.sign(secret);
const hex = secret.toString("hex");
/** A conversation in which these requests were made. */
function conversation(...asked: readonly (readonly [RequestName, Record<string, unknown>])[]) {
  const secrets = new Secrets();
  for (const [name, body] of asked) {
    const bytes = encodeLeniently(requests[name], 0, body);
    const read = readRequest(bytes, 0);
    secrets.sent(bytes, "request" in read ? read.request : undefined);
  }
  return secrets;
}
const exchange = ["sign", { sharedSecret: secret }] as const;

const tails: Readonly<Record<string, string>> = {
  "as it is": secret.toString("latin1"),
  "in hex": hex,
  "its end alone": hex.slice(32),
  "in hex with blanks": `<Buffer ${hex.replace(/..(?=.)/g, "$& ")}>`,
  "in base64": secret.toString("base64"),
  "in base64, two bytes behind something": Buffer.concat([Buffer.from("ab"), secret]).toString("base64"),
  "in base64 for addresses": secret.toString("base64url"),
  "as numbers": new Uint8Array(secret).toString(),
  "as a JSON string": JSON.stringify(secret.toString("latin1")),
  "as UTF-8 that it is not": secret.toString("utf8"),
}; // prettier-ignore
for (const [how, text] of Object.entries(tails))
  t.test(`Secrets.toldBy() sees a shared secret in a line ${how}`, (t) => {
    t.equal(conversation(exchange).toldBy(`secret ${text}`), "a secret of a message");
    t.equal(conversation().toldBy(`secret ${text}`), undefined, "nobody sent it");
    t.end();
  });

t.test("Secrets.toldBy() sees a signature, and a secret of the server that nobody sent", (t) => {
  const signed = ["publickeySign", { algorithm: "ssh-ed25519", blob: keys.alice.blob, signature }] as const; // prettier-ignore
  const line = Buffer.from(signature).toString("base64");
  t.equal(conversation(signed).toldBy(line), "a secret of a message");
  t.equal(conversation(signed).toldBy(Buffer.from(signature.subarray(0, 19)).toString("base64")), undefined); // prettier-ignore
  t.equal(conversation().toldBy(Buffer.from(delaySecret).toString("hex")), "a secret of the server"); // prettier-ignore
  t.end();
});

t.test("Secrets.toldBy() lets a line say what was sent as a name as well, and plain text", (t) => {
  const lookup = ["lookupUser", { user: secret, service: "ssh-connection" }] as const;
  t.equal(conversation(exchange, lookup).toldBy(`Invalid user ${secret.toString("latin1")}`), undefined); // prettier-ignore
  const plain = ["sign", { sharedSecret: "Connection closed by peer" }] as const;
  t.equal(conversation(plain).toldBy("Connection closed by peer"), undefined);
  t.end();
});
