// An authorized_keys file that a hostile user has written: no key may be found that does not stand in it.
import { findKey } from "../../broker/authorized-keys.ts";
import { LabKey } from "../../lab/lab-key.ts";

const key = new LabKey("plain");
const written = Buffer.from(key.blob).toString("base64");

export function fuzz(data: Uint8Array): void {
  const text = Buffer.from(data).toString("latin1");
  const lines = text.split("\n");
  for (const { line } of findKey(text, key.blob, () => undefined)) {
    const found = lines[line - 1] ?? "";
    if (!found.includes(written) || found.trimStart().startsWith("#"))
      throw new Error(`a key is found in line ${line}, which does not have it`);
  }
}
