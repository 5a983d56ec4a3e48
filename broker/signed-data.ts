// What a user's signature must be over (RFC 4252 section 7; OpenSSH PROTOCOL section 3.1 for the host-bound form). The broker composes it
// from what it knows itself; the session process never says what was signed.
import { FieldWriter } from "../ipc/fields.ts";

const SSH_MSG_USERAUTH_REQUEST = 50;

export interface SignedRequest {
  readonly sessionId: Uint8Array;
  readonly user: Uint8Array;
  readonly service: Uint8Array;
  readonly algorithm: string;
  readonly blob: Uint8Array;
  /** Present for publickey-hostbound-v00@openssh.com. */
  readonly hostKey?: Uint8Array;
}

export function composeSignedData(request: SignedRequest): Uint8Array {
  const writer = new FieldWriter(1024);
  writer.bytes(request.sessionId);
  writer.u8(SSH_MSG_USERAUTH_REQUEST);
  writer.bytes(request.user);
  writer.bytes(request.service);
  writer.bytes(
    Buffer.from(
      request.hostKey === undefined ? "publickey" : "publickey-hostbound-v00@openssh.com",
    ),
  );
  writer.u8(1);
  writer.bytes(Buffer.from(request.algorithm));
  writer.bytes(request.blob);
  if (request.hostKey !== undefined) writer.bytes(request.hostKey);
  return writer.finish();
}
