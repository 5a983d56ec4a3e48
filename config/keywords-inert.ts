// Keywords of sshd that need what is not built yet. One that would turn something on takes only the value that asks for nothing, and
// refuses others by name. One that only tunes such a thing is taken and changes nothing: what it tunes is off and cannot be on.
import { NotSupported, single, type Keyword } from "./keyword.ts";
import { quoteWord } from "./lines.ts";
import { choice } from "./values.ts";

interface Inert {
  readonly inMatch?: boolean;
  readonly aliases?: readonly string[];
  /** Leaving it out would let somebody do more: IgnoreUnsupported does not skip it. */
  readonly isRestriction?: boolean;
}
const common = (name: string, doc: string, extra: Inert) => ({
  name,
  aliases: extra.aliases ?? [],
  inMatch: extra.inMatch ?? false,
  repeat: "first" as const,
  doc,
});
const printed =
  (name: string, otherwise: string): Keyword["print"] =>
  ({ withoutEffect }) => {
    const value = withoutEffect[name.toLowerCase()] ?? otherwise;
    return value === "" ? [] : [value];
  };

/** Only what is in `accepted` is taken; the first of it is what holds. */
const fixed = (
  name: string,
  accepted: readonly [string, ...string[]],
  what: string,
  extra: Inert = {},
): Keyword => ({
  ...common(name, `Only \`${accepted.join("`, `")}\`: ${what} not supported yet`, extra),
  support: "fixed",
  read: (line) => {
    const value = line.words.join(" ");
    const found = accepted.find((each) => each.toLowerCase() === value.toLowerCase());
    if (found !== undefined) return found;
    const isRestriction = extra.isRestriction === true;
    throw new NotSupported(
      `${line.written} ${value} is not supported yet (${what}); only "${accepted[0]}" is`,
      isRestriction,
    );
  },
  print: printed(name, accepted[0]),
});

/** Checked a little and taken; `otherwise` is what -T says without a line, "": nothing. */
const withoutEffect = (
  name: string,
  choices: readonly string[] | undefined,
  otherwise: string,
  what: string,
  extra: Inert = {},
): Keyword => ({
  ...common(name, `Changes nothing: ${what}`, extra),
  support: "without-effect",
  read: (line) => {
    if (choices !== undefined) return choice(single(line), choices);
    return line.words.map(quoteWord).join(" ");
  },
  print: printed(name, otherwise),
});

const ignored = (name: string, support: "ignored" | "silent" = "ignored"): Keyword => ({
  ...common(name, "Ignored, as sshd ignores it", { inMatch: true }),
  support,
  read: () => undefined,
  print: () => [],
});

const no = ["no"] as const;
const none = ["none"] as const;
const flag = ["yes", "no"];
const inMatch = { inMatch: true };
const restriction = { inMatch: true, isRestriction: true };

const passwords = "passwords";
const hostbased = "host-based authentication";
const forwarding = "forwarding";
const certificates = "certificates";
const penalties = "penalties";
const off = (what: string): string => `${what} is not supported yet`;

// prettier-ignore
export const inertKeywords: readonly Keyword[] = [
  fixed("PasswordAuthentication", no, passwords, inMatch),
  fixed("KbdInteractiveAuthentication", no, "keyboard-interactive", { inMatch: true, aliases: ["ChallengeResponseAuthentication", "SKeyAuthentication"] }),
  fixed("UsePAM", no, "PAM"),
  fixed("HostbasedAuthentication", no, hostbased, inMatch),
  fixed("GSSAPIAuthentication", no, "GSSAPI", inMatch),
  fixed("KerberosAuthentication", no, "Kerberos", inMatch),
  fixed("PermitEmptyPasswords", no, passwords, inMatch),
  fixed("X11Forwarding", no, forwarding, inMatch),
  fixed("AllowTcpForwarding", no, forwarding, inMatch),
  fixed("AllowStreamLocalForwarding", no, forwarding, inMatch),
  fixed("AllowAgentForwarding", no, forwarding, inMatch),
  fixed("GatewayPorts", no, forwarding, inMatch),
  fixed("PermitTunnel", no, forwarding, inMatch),
  fixed("PermitOpen", ["none", "any"], forwarding, inMatch),
  fixed("PermitListen", ["none", "any"], forwarding, inMatch),
  fixed("ChrootDirectory", none, "changing the root", restriction),
  fixed("AuthorizedKeysCommand", none, "keys from a command", inMatch),
  fixed("AuthorizedPrincipalsFile", none, certificates, inMatch),
  fixed("AuthorizedPrincipalsCommand", none, certificates, inMatch),
  fixed("TrustedUserCAKeys", none, certificates, inMatch),
  fixed("HostCertificate", none, certificates),
  fixed("RevokedKeys", none, "revoked keys", restriction),
  fixed("HostKeyAgent", none, "host keys in an agent"),
  fixed("ExposeAuthInfo", no, "telling the session how it authenticated", inMatch),
  fixed("UseDNS", no, "names of clients"),
  fixed("FingerprintHash", ["SHA256"], "other fingerprints"),
  fixed("PerSourcePenalties", no, penalties),
  fixed("PerSourceMaxStartups", none, "limits for each source"),
  fixed("ChannelTimeout", none, "timeouts of channels", inMatch),
  fixed("UnusedConnectionTimeout", ["none", "0"], "the timeout of unused connections", inMatch),
  fixed("RDomain", none, "routing domains", inMatch),
  fixed("PAMServiceName", ["sshd"], "PAM", inMatch),
  fixed("LogVerbose", none, "more lines for some files", inMatch),
  withoutEffect("Compression", ["yes", "no", "delayed"], "no", "no compression is offered, whatever is said"),
  withoutEffect("PrintLastLog", flag, "no", "no login records are kept yet"),
  withoutEffect("DisableForwarding", flag, "no", "nothing is forwarded anyway", inMatch),
  withoutEffect("ModuliFile", undefined, "", "no method with such groups is offered"),
  withoutEffect("SecurityKeyProvider", undefined, "internal", "host keys on security keys are not supported yet"),
  withoutEffect("PerSourceNetBlockSize", undefined, "32:128", off("counting by source")),
  withoutEffect("PerSourcePenaltyExemptList", undefined, "none", off("counting by source")),
  withoutEffect("AuthorizedKeysCommandUser", undefined, "none", off("AuthorizedKeysCommand"), inMatch),
  withoutEffect("AuthorizedPrincipalsCommandUser", undefined, "none", off("AuthorizedPrincipalsCommand"), inMatch),
  withoutEffect("CASignatureAlgorithms", undefined, "", "no certificate is accepted", inMatch),
  withoutEffect("HostbasedAcceptedAlgorithms", undefined, "", off(hostbased), { inMatch: true, aliases: ["HostbasedAcceptedKeyTypes"] }),
  withoutEffect("HostbasedUsesNameFromPacketOnly", flag, "no", off(hostbased), inMatch),
  withoutEffect("IgnoreRhosts", ["yes", "no", "shosts-only"], "yes", off(hostbased), inMatch),
  withoutEffect("IgnoreUserKnownHosts", flag, "no", off(hostbased)),
  withoutEffect("StreamLocalBindMask", undefined, "0177", off(forwarding), inMatch),
  withoutEffect("StreamLocalBindUnlink", flag, "no", off(forwarding), inMatch),
  withoutEffect("X11DisplayOffset", undefined, "10", off(forwarding), inMatch),
  withoutEffect("X11UseLocalhost", flag, "yes", off(forwarding), inMatch),
  withoutEffect("XAuthLocation", undefined, "/usr/bin/xauth", off(forwarding)),
  withoutEffect("KerberosOrLocalPasswd", flag, "yes", off("Kerberos")),
  withoutEffect("KerberosTicketCleanup", flag, "yes", off("Kerberos")),
  withoutEffect("KerberosGetAFSToken", flag, "no", off("Kerberos")),
  withoutEffect("GSSAPICleanupCredentials", flag, "yes", off("GSSAPI")),
  withoutEffect("GSSAPIDelegateCredentials", flag, "yes", off("GSSAPI")),
  withoutEffect("GSSAPIStrictAcceptorCheck", flag, "yes", off("GSSAPI")),
  ...[
    "ServerKeyBits", "KeyRegenerationInterval", "RHostsAuthentication", "RhostsRSAAuthentication", "RSAAuthentication",
    "CheckMail", "UseLogin", "VerifyReverseMapping", "ReverseMappingCheck", "AuthorizedKeysFile2",
    "UsePrivilegeSeparation", "KerberosTgtPassing", "AFSTokenPassing",
  ].map((name) => ignored(name)),
  // They name programs that this server does not have, and a protocol that nobody has.
  ...["Protocol", "SshdSessionPath", "SshdAuthPath"].map((name) => ignored(name, "silent")),
];
