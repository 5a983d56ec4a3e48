// What a taken session process and the person who took it say to one another over the client's connection: orders and reports, each a
// u32 length (big-endian), a u8 kind, a u8 number of descriptors, and bytes.

/** To the taken process. */
export const orders = {
  /** Send these bytes to the broker as one message, with so many descriptors beside it. */
  send: 0,
  /** Close the socket to the broker, and live on. */
  closeMonitor: 1,
  /** Never read again what the broker says. */
  stopReading: 2,
  /** Make a system call that the filter does not know. */
  forbiddenCall: 3,
} as const;
/** From the taken process. */
export const reports = {
  /** One message of the broker, with so many descriptors (which are closed: the number is what matters). */
  message: 64,
  /** The kernel did not take a message; the bytes are its error code. */
  sendFailed: 65,
  /** The broker has closed its socket. */
  monitorClosed: 66,
  /** The first of all: the process obeys from now on. */
  taken: 67,
} as const;

export interface Frame {
  readonly kind: number;
  readonly descriptors: number;
  readonly bytes: Uint8Array;
}

const headerBytes = 6;

export function encodeFrame({ kind, descriptors, bytes }: Frame): Uint8Array {
  const frame = Buffer.alloc(headerBytes + bytes.length);
  frame.writeUInt32BE(bytes.length, 0);
  frame.writeUInt8(kind, 4);
  frame.writeUInt8(descriptors, 5);
  frame.set(bytes, headerBytes);
  return frame;
}

/** Puts frames together from a stream's chunks. Both ends are ours: nothing is bounded here. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  /** Whole frames of what has come so far; their bytes are views. */
  *take(chunk: Uint8Array): Generator<Frame> {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= headerBytes) {
      const end = headerBytes + this.#pending.readUInt32BE(0);
      if (this.#pending.length < end) return;
      const [kind, descriptors] = [this.#pending.readUInt8(4), this.#pending.readUInt8(5)];
      const bytes = this.#pending.subarray(headerBytes, end);
      this.#pending = this.#pending.subarray(end);
      yield { kind, descriptors, bytes };
    }
  }
}
