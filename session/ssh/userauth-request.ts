// SSH_MSG_USERAUTH_REQUEST (RFC 4252 sections 5 and 7, OpenSSH PROTOCOL section 3.1), read.
import { maxKeyBlobBytes, maxNameBytes, maxSignatureBytes } from "../../ipc/limits.ts";
import { WireReader } from "./wire.ts";

/** One attempt, in the words of the broker's protocol. What it holds is copied. */
export type Attempt =
  | { readonly method: "none" }
  /** Not ours, or with a field beyond our bounds: it fails like any other. */
  | { readonly method: "unsupported"; readonly name: Uint8Array }
  | { readonly method: "publickeyQuery"; readonly algorithm: string; readonly blob: Uint8Array }
  | {
      readonly method: "publickeySign";
      readonly algorithm: string;
      readonly blob: Uint8Array;
      readonly signature: Uint8Array;
      /** The host key that was signed over; null for the plain method. */
      readonly hostKey: Uint8Array | null;
    };

export interface UserauthRequest {
  readonly user: Uint8Array;
  readonly service: Uint8Array;
  readonly attempt: Attempt;
  /** What publickey-hostbound-v00@openssh.com names, with and without a signature; null for the others. */
  readonly hostKey: Uint8Array | null;
}

export const hostBoundMethod = "publickey-hostbound-v00@openssh.com";

/** Throws PeerFault TRUNCATED, TRAILING_BYTES, MALFORMED: what is not well formed ends the connection, whoever the user is. */
export function readUserauthRequest(payload: Uint8Array): UserauthRequest {
  const reader = new WireReader(payload, 1);
  const user = reader.string().slice();
  const service = reader.string().slice();
  const method = reader.name();
  switch (method) {
    case "none":
      reader.end();
      return { user, service, attempt: { method }, hostKey: null };
    case "publickey":
    case hostBoundMethod:
      return { user, service, ...readPublicKey(reader, method) };
    default: {
      // Its fields mean nothing to us: they are not even looked at.
      const name = Buffer.from(method.slice(0, maxNameBytes));
      return { user, service, attempt: { method: "unsupported", name }, hostKey: null };
    }
  }
}

function readPublicKey(
  reader: WireReader,
  method: string,
): Pick<UserauthRequest, "attempt" | "hostKey"> {
  const isSigned = reader.bool();
  const algorithm = reader.name();
  const blob = reader.string();
  const hostKey = method === hostBoundMethod ? reader.string().slice() : null;
  const signature = isSigned ? reader.string() : null;
  reader.end();
  if (
    algorithm.length > maxNameBytes ||
    blob.length > maxKeyBlobBytes ||
    (signature?.length ?? 0) > maxSignatureBytes
  ) {
    return { attempt: { method: "unsupported", name: Buffer.from(method) }, hostKey };
  }
  const asked = { algorithm, blob: blob.slice() };
  const attempt: Attempt =
    signature === null
      ? { method: "publickeyQuery", ...asked }
      : { method: "publickeySign", ...asked, signature: signature.slice(), hostKey };
  return { attempt, hostKey };
}
