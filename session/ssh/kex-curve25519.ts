// curve25519-sha256 (RFC 8731); the name with @libssh.org is the same method.
import type { KexMethod } from "./kex-method.ts";
import { agreeX25519, makeEphemeral } from "./kex-x25519.ts";
import { mpintContent } from "./wire.ts";

/** K is the agreement read as a big-endian number (RFC 8731 section 3.1). */
function secret(agreed: Uint8Array): Uint8Array {
  const content = mpintContent(agreed);
  agreed.fill(0);
  return content;
}

const curve25519 = (name: string): KexMethod => ({
  name,
  hash: "sha256",
  start() {
    const ephemeral = makeEphemeral();
    return {
      public: ephemeral.public,
      finish: (serverPublic) => secret(agreeX25519(ephemeral.privateKey, serverPublic)),
    };
  },
  respond(clientPublic, ephemeral = makeEphemeral()) {
    return {
      serverPublic: ephemeral.public,
      sharedSecret: secret(agreeX25519(ephemeral.privateKey, clientPublic)),
    };
  },
});

export const curve25519Methods: readonly KexMethod[] = [
  curve25519("curve25519-sha256"),
  curve25519("curve25519-sha256@libssh.org"),
];
