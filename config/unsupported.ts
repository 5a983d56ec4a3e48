// Keywords of sshd that need what is not built yet: each takes only the value that asks for nothing, and refuses others by name.
import type { Keyword } from "./keyword.ts";

/** Known to sshd; here only the value that asks for nothing is taken. */
const only = (name: string, accepted: readonly string[], why: string, match = false): Keyword => ({
  name,
  inMatch: match,
  repeat: "first",
  read: (line) => {
    if (!accepted.includes(line.words.join(" ").toLowerCase())) {
      throw new RangeError(
        `not supported yet: ${why}; the only value taken is "${accepted[0] ?? ""}"`,
      );
    }
  },
});

const forwarding = "forwarding";

export const withoutMeaning: readonly Keyword[] = [
  // sshd's, of which only "nothing" is built
  only("PasswordAuthentication", ["no"], "passwords", true),
  only("KbdInteractiveAuthentication", ["no"], "keyboard-interactive", true),
  only("UsePAM", ["no"], "PAM"),
  only("HostbasedAuthentication", ["no"], "host-based authentication", true),
  only("GSSAPIAuthentication", ["no"], "GSSAPI", true),
  only("KerberosAuthentication", ["no"], "Kerberos", true),
  only("PermitEmptyPasswords", ["no"], "passwords", true),
  only("X11Forwarding", ["no"], forwarding, true),
  only("AllowTcpForwarding", ["no"], forwarding, true),
  only("AllowStreamLocalForwarding", ["no"], forwarding, true),
  only("AllowAgentForwarding", ["no"], forwarding, true),
  only("DisableForwarding", ["yes", "no"], forwarding, true),
  only("GatewayPorts", ["no"], forwarding, true),
  only("PermitTunnel", ["no"], forwarding, true),
  only("PermitOpen", ["none", "any"], forwarding, true),
  only("PermitListen", ["none", "any"], forwarding, true),
  only("ChrootDirectory", ["none"], "ChrootDirectory", true),
  only("AuthorizedKeysCommand", ["none"], "AuthorizedKeysCommand", true),
  only("AuthorizedKeysCommandUser", ["none"], "AuthorizedKeysCommand", true),
  only("AuthorizedPrincipalsFile", ["none"], "certificates", true),
  only("AuthorizedPrincipalsCommand", ["none"], "certificates", true),
  only("AuthorizedPrincipalsCommandUser", ["none"], "certificates", true),
  only("TrustedUserCAKeys", ["none"], "certificates", true),
  only("CASignatureAlgorithms", [], "certificates", true),
  only("HostCertificate", ["none"], "certificates"),
  only("RevokedKeys", ["none"], "RevokedKeys", true),
  only("HostKeyAgent", ["none"], "HostKeyAgent"),
  only("HostbasedAcceptedAlgorithms", [], "host-based authentication", true),
  only("HostbasedUsesNameFromPacketOnly", ["no"], "host-based authentication", true),
  only("IgnoreRhosts", ["yes"], "host-based authentication", true),
  only("IgnoreUserKnownHosts", ["yes", "no"], "host-based authentication"),
  only("ExposeAuthInfo", ["no"], "ExposeAuthInfo", true),
  only("PermitUserRC", ["no", "yes"], "~/.ssh/rc", true),
  only("PrintLastLog", ["no", "yes"], "login records"),
  only("Compression", ["no", "yes", "delayed"], "compression"),
  only("UseDNS", ["no"], "DNS"),
  only("FingerprintHash", ["sha256"], "MD5 fingerprints"),
  only("PerSourcePenalties", ["no"], "penalties"),
  only("PerSourcePenaltyExemptList", ["none"], "penalties"),
  only("PerSourceMaxStartups", ["none"], "limits for each source"),
  only("PerSourceNetBlockSize", ["32:128"], "limits for each source"),
  only("ChannelTimeout", ["none"], "ChannelTimeout", true),
  only("UnusedConnectionTimeout", ["none", "0"], "UnusedConnectionTimeout", true),
  only("RDomain", ["none"], "routing domains", true),
  only("PAMServiceName", ["sshd"], "PAM"),
  only("StreamLocalBindMask", ["0177"], forwarding, true),
  only("StreamLocalBindUnlink", ["no"], forwarding, true),
  only("X11DisplayOffset", ["10"], forwarding, true),
  only("X11UseLocalhost", ["yes"], forwarding, true),
  only("XAuthLocation", ["/usr/bin/xauth"], forwarding),
  only("SecurityKeyProvider", ["internal"], "other security key providers"),
  only("LogVerbose", ["none"], "LogVerbose", true),
];

/** Accepted and ignored: sshd has given them up, or they name programs that this server does not have. */
// prettier-ignore
export const ignored: readonly string[] = [
  "ServerKeyBits", "KeyRegenerationInterval", "RHostsAuthentication", "RhostsRSAAuthentication", "RSAAuthentication",
  "CheckMail", "UseLogin", "VerifyReverseMapping", "ReverseMappingCheck", "AuthorizedKeysFile2",
  "UsePrivilegeSeparation", "KerberosTgtPassing", "AFSTokenPassing", "Protocol", "SshdSessionPath", "SshdAuthPath",
  "ModuliFile", "GSSAPICleanupCredentials", "GSSAPIDelegateCredentials", "GSSAPIStrictAcceptorCheck",
  "KerberosOrLocalPasswd", "KerberosTicketCleanup", "KerberosGetAFSToken",
];

export const aliases: Readonly<Record<string, string>> = {
  hostdsakey: "hostkey",
  pubkeyacceptedkeytypes: "pubkeyacceptedalgorithms",
  hostbasedacceptedkeytypes: "hostbasedacceptedalgorithms",
  dsaauthentication: "pubkeyauthentication",
  keepalive: "tcpkeepalive",
  challengeresponseauthentication: "kbdinteractiveauthentication",
  skeyauthentication: "kbdinteractiveauthentication",
};
