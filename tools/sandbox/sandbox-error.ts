/** A wrong call, or a machine on which it cannot be done: one line and status 2. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
}
