import { createHash } from "node:crypto";
import t from "tap";
import type { AnyField } from "../../ipc/fields.ts";
import { brokerOrders, brokerReports, zygoteOrders } from "../../ipc/listener.ts";
import { answers, requests } from "../../ipc/monitor.ts";
import type { Protocol } from "../../ipc/protocol.ts";
import { signatureAnswers, signatureRequests } from "../../ipc/signer.ts";
import { disclose, disclosureOf } from "../../ipc/trace.ts";

const tables: readonly Protocol[] = [requests, answers, signatureRequests, signatureAnswers, brokerOrders, brokerReports, zygoteOrders]; // prettier-ignore
const secret = Buffer.from("correct horse battery staple, and then some more of it");
const salt = new Uint8Array(16).fill(7);

/** A value of the field that holds the secret where it can. */
function holding({ kind, item }: AnyField): unknown {
  if (kind === "list") return item === undefined ? [] : [holding(item), holding(item)];
  if (kind === "bytes") return new Uint8Array(secret);
  if (kind === "text") return secret.toString();
  return kind === "bool" ? true : 1;
}
const held = (told: readonly string[]): boolean => {
  const text = told.join("\n");
  return ["utf8", "hex", "base64", "base64url"].some((form) =>
    text.includes(secret.toString(form as BufferEncoding).slice(0, 24)),
  );
};

t.test("disclose() tells no byte of a field that nobody has ruled on", (t) => {
  const field: AnyField = { ...(requests.lookupUser.fields.user as AnyField) };
  const spec = { type: 1, descriptors: 0, meaning: "", fields: { password: field } };
  const told = disclose(spec, { password: new Uint8Array(secret) }, salt);
  t.same(told.slice(0, 2), ["password", "salted"]);
  t.notOk(held(told));
  const plain = createHash("sha256").update(secret).digest("hex").slice(0, 16);
  t.notMatch(told[2], plain, "nor a digest that a guess could be compared with");
  t.end();
});
t.test("disclose() tells the bytes of no message but of the fields that are ruled open", (t) => {
  for (const table of tables)
    for (const [message, spec] of Object.entries(table))
      for (const [name, field] of Object.entries(spec.fields)) {
        const one = { ...spec, fields: { [name]: field } };
        const isOpen = disclosureOf(name, field) === "shown";
        const told = disclose(one, { [name]: holding(field) }, salt);
        if (!isOpen) t.notOk(held(told), `${message}.${name}`);
      }
  t.end();
});
t.test("disclose() rules keys, signatures and what is signed not open", (t) => {
  const { sign, publickeySign } = requests;
  const named: readonly [string, AnyField][] = [
    ["sharedSecret", sign.fields.sharedSecret],
    ["clientPublic", sign.fields.clientPublic],
    ["signature", publickeySign.fields.signature],
    ["blob", publickeySign.fields.blob],
    ["exchangeHash", answers.signed.fields.exchangeHash],
    ["sessionId", signatureRequests.proof.fields.sessionId],
    ["forcedCommand", brokerReports.login.fields.forcedCommand],
    ["environment", brokerReports.login.fields.environment],
  ];
  for (const [name, field] of named) t.not(disclosureOf(name, field), "shown", name);
  t.equal(disclosureOf("sharedSecret", sign.fields.sharedSecret), "salted digest");
  t.end();
});
t.test("disclose() cuts long text, tells what is no UTF-8 as hex, and counts lists", (t) => {
  const { user } = requests.lookupUser.fields;
  const spec = { type: 1, descriptors: 0, meaning: "", fields: { user } };
  const of = (bytes: Uint8Array): string[] => disclose(spec, { user: bytes }, salt);
  t.same(of(Buffer.from("bob")), ["user", "text", "bob"]);
  t.same(of(Uint8Array.of(0xff, 0)), ["user", "hex", "ff00"]);
  t.same(of(Buffer.from("x".repeat(1024))).slice(0, 2), ["user", "cut"]);
  t.match(of(Buffer.from("x".repeat(1024)))[2], /^1024 x{512}$/);
  t.match(of(Buffer.from(`${"x".repeat(511)}\u{1f600}${"y".repeat(9)}`))[2], /^524 x{511}$/, "and no half of a character"); // prettier-ignore
  t.match(of(new Uint8Array(1024).fill(0xff)).slice(1), ["digest", /^1024 [0-9a-f]{16}$/]);
  const missing = disclose(requests.confined, { missing: ["a: b", "c: d"] }, salt);
  t.same(missing, ["missing", "number", "2", "missing[0]", "text", "a: b", "missing[1]", "text", "c: d"]); // prettier-ignore
  t.end();
});
