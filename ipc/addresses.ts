// The two ends of a client's connection, as every message that names them has them.
import { text, u32 } from "./fields.ts";

/** Numeric addresses, with a zone where there is one; "UNKNOWN" and port 65535 where the connection is no TCP socket. */
export const addressFields = {
  remoteAddress: text(64),
  remotePort: u32(65_535),
  localAddress: text(64),
  localPort: u32(65_535),
} as const;
