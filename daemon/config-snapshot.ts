// The configuration as the zygote gets it: the very text that the listener read, in a sealed memory file, so that both hold the same
// options even when a file changes in between.
import { bytes, FieldReader, FieldWriter, list, text } from "../ipc/fields.ts";
import type { Source } from "../config/load.ts";
import type { OpenFilesLimit } from "./open-files.ts";

/** Configuration files, all together; sshd takes 4 MiB. */
const maxConfigBytes = 4 * 1024 * 1024;
const maxSources = 1024;
const maxOverrides = 1024;
export const delaySecretBytes = 32;
const texts = (most: number) => list(text(maxConfigBytes), most);

export interface ConfigSnapshot {
  readonly file: string;
  readonly overrides: readonly string[];
  readonly sources: readonly Source[];
  /** Number of -d. */
  readonly debug: number;
  /** False with -i: one connection does not repay a rehearsal. */
  readonly rehearse: boolean;
  /** Every broker tells its conversation: `sallyport trace record`, and nobody else. */
  readonly isRecorded: boolean;
  /** `delaySecretBytes` of it, the same for the life of the server: broker/failure-delay.ts. */
  readonly delaySecret: Uint8Array;
  /** As the server was started with: what a user's programs get. */
  readonly openFiles: OpenFilesLimit;
}

export function encodeSnapshot(snapshot: ConfigSnapshot): Uint8Array {
  const writer = new FieldWriter();
  writer.u8(snapshot.debug);
  writer.u8(snapshot.rehearse ? 1 : 0);
  writer.u8(snapshot.isRecorded ? 1 : 0);
  bytes(delaySecretBytes).write(writer, snapshot.delaySecret);
  writer.u64(snapshot.openFiles.soft);
  writer.u64(snapshot.openFiles.hard);
  text(maxConfigBytes).write(writer, snapshot.file);
  texts(maxOverrides).write(writer, [...snapshot.overrides]);
  texts(maxSources).write(
    writer,
    snapshot.sources.map(({ path }) => path),
  );
  texts(maxSources).write(
    writer,
    snapshot.sources.map(({ content }) => content),
  );
  return writer.finish();
}

/** The reverse; PeerFault when it is not what `encodeSnapshot` wrote. */
export function decodeSnapshot(encoded: Uint8Array): ConfigSnapshot {
  const reader = new FieldReader(encoded);
  const debug = reader.u8();
  const rehearse = reader.u8() === 1;
  const isRecorded = reader.u8() === 1;
  const delaySecret = bytes(delaySecretBytes).read(reader);
  const openFiles = { soft: reader.u64(), hard: reader.u64() };
  const file = text(maxConfigBytes).read(reader);
  const overrides = texts(maxOverrides).read(reader);
  const paths = texts(maxSources).read(reader);
  const contents = texts(maxSources).read(reader);
  reader.end();
  const sources = paths.map((path, i) => ({ path, content: contents[i] ?? "" }));
  return { file, overrides, sources, debug, rehearse, isRecorded, delaySecret, openFiles };
}
