// What a warm session process can do for a key exchange before the connection is there.

/** Opaque; belongs to one connection. */
export interface PreparedKex {
  readonly kexInit: Uint8Array;
}
