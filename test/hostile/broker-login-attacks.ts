// Rows of test/hostile/broker-attacks.test.ts: signatures of the signer, users, keys, logins, and what comes after them.
import { requests } from "../../ipc/monitor.ts";
import { LabKey } from "../../lab/lab-key.ts";
import { string } from "../support/ssh-keys.ts";
import { attackersKey, exchangeParts, text, type AttackRow } from "../support/taken-session.ts";
import {
  bySigsys,
  empty,
  header,
  notPermitted,
  restricted,
  stopped,
  violation,
} from "./broker-frame-attacks.ts";

const publickey = { algorithm: "ssh-ed25519", blob: attackersKey.blob };

export const beforeLogin: readonly AttackRow[] = [
  {
    name: "F6 a second signature before authentication",
    act: async (attack) => {
      await attack.lookup();
      attack.client.send("sign", exchangeParts);
    },
    ...violation,
    text: notPermitted("sign", "lookup"),
  },
  {
    name: "F6 bytes of its own to be signed in place of a KEXINIT",
    act: async (attack) => {
      await attack.kex();
      attack.client.send("sign", { ...exchangeParts, clientKexInit: attackersKey.blob });
    },
    code: "signer.refused",
    text: /the signer refused an exchange hash/,
    end: "refused",
  },
  {
    name: "F6 a signature with a key that is not there",
    act: async (attack) => {
      await attack.kex();
      attack.client.send("sign", { ...exchangeParts, hostKeyAlgorithm: "rsa-sha2-512" });
    },
    ...violation,
    text: /no host key of ours serves that algorithm/,
  },
  {
    name: "F6 a proof of the host key before authentication",
    act: async (attack) => {
      await attack.lookup();
      attack.client.send("proveHostKey", { blob: empty, algorithm: "ssh-ed25519" });
    },
    ...violation,
    text: notPermitted("proveHostKey", "lookup"),
  },
  {
    name: "F3 authentication of nobody",
    act: async (attack) => {
      await attack.lookup();
      attack.login();
    },
    ...violation,
    text: notPermitted("publickeySign", "lookup"),
  },
  {
    name: "F1 the user's name again, as root",
    act: async (attack) => {
      await attack.authenticating();
      attack.client.send("lookupUser", { user: text("root"), service: text("ssh-connection") });
    },
    ...violation,
    text: notPermitted("lookupUser", "authenticating"),
  },
  {
    name: "F11 a service that is not SSH's",
    act: async (attack) => {
      await attack.lookup();
      attack.client.send("lookupUser", { user: text(attack.user), service: text("ssh-userauth") });
    },
    ...violation,
    text: /unknown service/,
  },
  {
    name: "F4 signatures that are none, until it may try no more",
    act: async (attack) => {
      await attack.authenticating();
      for (const signature of [empty, string("ssh-ed25519")]) await attack.fails({ signature });
      attack.login({ signature: Buffer.concat([string("ssh-ed25519"), string("")]) });
      await attack.answer("authResult");
      attack.login();
    },
    ...violation,
    text: notPermitted("publickeySign", "refused"),
  },
  {
    name: "F7 signatures over another session, another user and another key",
    act: async (attack) => {
      await attack.authenticating();
      await attack.fails({ signature: attack.signature(attackersKey, { sessionId: new Uint8Array(32) }) }); // prettier-ignore
      await attack.fails({ signature: attack.signature(attackersKey, { user: text("root") }) });
      attack.login({ signature: attack.signature(restricted) });
      await attack.answer("authResult");
      attack.login();
    },
    ...violation,
    text: notPermitted("publickeySign", "refused"),
  },
  {
    name: "F7 a key that was asked about, and a signature by one that is nobody's",
    act: async (attack) => {
      await attack.authenticating();
      attack.client.send("publickeyQuery", publickey);
      await attack.answer("authResult");
      const strange = new LabKey("strange");
      for (let i = 0; i < 3; i += 1) {
        attack.login({ blob: strange.blob, signature: attack.signature(strange) });
        await attack.answer("authResult");
      }
      attack.login();
    },
    ...violation,
    text: notPermitted("publickeySign", "refused"),
  },
  {
    name: "F7 a signature that is bound to another host key",
    act: async (attack) => {
      await attack.authenticating();
      const bound = { hostBound: true, hostKey: restricted.blob };
      const signature = attack.signature(attackersKey, { hostKey: restricted.blob });
      await attack.fails({ ...bound, signature });
      attack.client.send("adopted", {});
    },
    ...violation,
    text: notPermitted("adopted", "authenticating"),
  },
  {
    name: "F7 an RSA algorithm for an Ed25519 key",
    act: async (attack) => {
      await attack.authenticating();
      await attack.fails({ algorithm: "rsa-sha2-512" });
      await attack.fails({ algorithm: "ssh-ed25519-cert-v01@openssh.com" });
      attack.client.send("sign", exchangeParts);
    },
    ...violation,
    text: notPermitted("sign", "authenticating"),
  },
  {
    name: "F11 names that are paths, options, NULs and 1024 letters are nobody",
    act: async (attack) => {
      await attack.authenticating(`../${attack.user}\0-oProxyCommand=x${"y".repeat(900)}`);
      await attack.fails({});
      attack.client.send("confined", { missing: [] });
    },
    ...violation,
    text: notPermitted("confined", "authenticating"),
  },
  {
    name: "F11 a name of 1025 letters",
    act: async (attack) => {
      await attack.lookup();
      const name = new Uint8Array(1025).fill(97);
      const body = Buffer.concat([header(requests.lookupUser.type), string(name), string("ssh-connection")]); // prettier-ignore
      attack.client.raw(body);
    },
    ...violation,
    text: /1025 bytes, limit is 1024/,
  },
  {
    name: "F2 more after it said that all is over",
    act: async (attack) => {
      await attack.authenticating();
      attack.client.send("ended", { reason: 0, code: 0, text: empty, bytesReceived: 0, bytesSent: 0 }); // prettier-ignore
      attack.login();
    },
    code: "connection.peer-closed",
    text: /^Connection closed by authenticating user/,
    end: "no-auth",
  },
  {
    name: "F9 a thousand log lines",
    act: async (attack) => {
      await attack.kex();
      for (let i = 0; i < 1000; i += 1)
        attack.client.send("log", { level: 1, code: "flood", text: text(`line ${i}`) });
    },
    ...violation,
    text: /Cannot answer log: its permits are spent in phase kex/,
  },
  {
    name: "F10 a log line with the name of an event of the broker",
    act: async (attack) => {
      await attack.kex();
      attack.client.send("log", { level: 1, code: "Auth Accepted", text: empty });
    },
    ...violation,
    text: /not the name of an event/,
  },
  {
    name: "F9 requests without waiting for answers",
    act: async (attack) => {
      await attack.authenticating();
      for (let i = 0; i < 200; i += 1) attack.client.send("authUnsupported", { method: empty });
    },
    ...violation,
    text: notPermitted("authUnsupported", "refused"),
  },
  {
    name: "F9 its end of the socket is closed",
    act: async (attack) => {
      await attack.kex();
      attack.client.order("closeMonitor");
    },
    code: "monitor.session-died",
    text: /was killed by signal 9|exited/,
    end: "crash",
  },
  {
    name: "it makes a folder",
    act: async (attack) => {
      await attack.kex();
      attack.client.order("forbiddenCall");
    },
    ...stopped,
    text: bySigsys,
  },
];

/** `proof` asks for one of the server's host key. */
export const afterLogin = (proof: {
  blob: Uint8Array;
  algorithm: string;
}): readonly AttackRow[] => [
  ...(["lookupUser", "publickeySign", "publickeyQuery", "authNone", "adopted"] as const).map(
    (name): AttackRow => ({
      name: `F3 ${name} after success`,
      act: async (attack) => {
        await attack.postauth();
        if (name === "lookupUser")
          attack.client.send(name, { user: text("root"), service: text("ssh-connection") });
        else if (name === "publickeySign") attack.login();
        else if (name === "publickeyQuery") attack.client.send(name, publickey);
        else attack.client.send(name, {});
      },
      ...violation,
      logins: 1,
      text: notPermitted(name, "postauth"),
    }),
  ),
  {
    name: "F6 a proof of a key that is not ours",
    act: async (attack) => {
      await attack.postauth();
      attack.client.send("proveHostKey", { blob: attackersKey.blob, algorithm: "ssh-ed25519" });
    },
    ...violation,
    logins: 1,
    text: /Cannot prove host key: not ours/,
  },
  {
    name: "F6 a second proof of a key",
    act: async (attack) => {
      await attack.postauth();
      attack.client.send("proveHostKey", proof);
      await attack.answer("proved");
      attack.client.send("sign", exchangeParts); // a rekey is nothing new
      await attack.answer("signed");
      attack.client.send("proveHostKey", proof);
    },
    ...violation,
    logins: 1,
    text: /proved once already/,
  },
  {
    name: "F9 eleven thousand log lines after success",
    act: async (attack) => {
      await attack.postauth();
      for (let i = 0; i < 11_000; i += 1)
        attack.client.send("log", { level: 5, code: "flood", text: empty });
    },
    ...violation,
    logins: 1,
    text: /Cannot answer log: its permits are spent in phase postauth/,
  },
];
