// Bounds of what processes say to one another. Every one is listed once more, for operators, in docs/limits.md.

/** Largest message, header included. A SOCK_SEQPACKET packet must fit the kernel's default send buffer (212,992 bytes). */
export const maxMessageBytes = 160 * 1024;
/** OpenSSH clients send commands up to this (MAX_ARG_STRLEN of Linux is 128 KiB, NUL included). */
export const maxCommandBytes = 128 * 1024 - 1;
/** RFC 4253 section 4.2: identification line without CR LF. */
export const maxVersionBytes = 253;
/** A KEXINIT payload; OpenSSH's are about 1.6 KiB, RFC 4253 section 6.1 lets all implementations send 35,000. */
export const maxKexInitBytes = 35_000;
/** ML-KEM-768 ciphertext and key are 1088 and 1184 bytes, plus 32 of X25519. */
export const maxKexPublicBytes = 2048;
/** mpint of a P-521 agreement, or a hybrid's hash. */
export const maxSharedSecretBytes = 128;
/** An RSA-16384 key or a certificate blob. */
export const maxKeyBlobBytes = 16 * 1024;
export const maxSignatureBytes = 4096;
/** SSH algorithm names are at most 64 (RFC 4251 section 6); method names and services too. */
export const maxNameBytes = 64;
/** LOGIN_NAME_MAX is 256; sshd takes what a packet holds, we do not. */
export const maxUserBytes = 1024;
/** Messages of a client before it is authenticated: what the broker's permits grant. sshd stops at 1024 attempts. */
export const maxAuthRequests = 128;
export const maxLogTextBytes = 2048;
export const maxPathBytes = 4096;
/** A Banner file: sshd reads 1 MiB, we read what one message carries. */
export const maxBannerBytes = 128 * 1024;
export const maxEnvironmentNameBytes = 1024;
export const maxEnvironmentValueBytes = 32 * 1024;
export const maxTerminalModesBytes = 1024;
