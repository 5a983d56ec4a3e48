// The next honest client: whatever others have sent before, it gets what it came for.
import type { Finding } from "../../lab/judge.ts";
import { WireWriter } from "../../session/ssh/wire.ts";
import type { Target } from "./perform.ts";
import { RawConnection } from "./raw-connection.ts";

/** On whatever machine. */
const mostMs = 30_000;

async function logIn(raw: RawConnection, { account }: Target): Promise<void> {
  raw.identify();
  await raw.exchange();
  await raw.service();
  if (account === null) {
    const writer = new WireWriter().byte(50).string("nobody-is-called-so").string("ssh-connection");
    raw.send(writer.string("none").finish().slice());
    await raw.until(51);
    return;
  }
  raw.send(raw.signedRequest(account.user, account.key));
  await raw.until(52);
  raw.send(new WireWriter().byte(90).string("session").uint32(0).uint32(1 << 20).uint32(1 << 15).finish().slice()); // prettier-ignore
  await raw.until(91);
  raw.send(new WireWriter().byte(98).uint32(0).string("exec").bool(true).string("true").finish().slice()); // prettier-ignore
  await raw.until(99);
  raw.send(Uint8Array.of(96, 0, 0, 0, 0)); // EOF: the command reads to its end
  await raw.until(97);
}

/** Logs in, runs its command to the end and leaves; where nobody may log in, as far as being refused. Null: all went well. */
export async function honestLogin(target: Target): Promise<Finding | null> {
  let raw: RawConnection | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const opened = await RawConnection.open(target.port, { host: target.host });
    raw = opened;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => { reject(new Error(`it was not over after ${mostMs / 1000} s`)); }, mostMs); // prettier-ignore
    });
    await Promise.race([logIn(opened, target), late]);
    return null;
  } catch (error) {
    return { oracle: "next-login", text: `an honest client: ${error instanceof Error ? error.message : String(error)}` }; // prettier-ignore
  } finally {
    clearTimeout(timer);
    raw?.socket.destroy();
  }
}
