#include "cipher-suite.h"

#include <array>

namespace sallyport {
namespace {

struct CipherRow {
  std::string_view name;
  CipherKind kind;
  const char *cipher;
  size_t keyBytes, ivBytes, blockBytes, tagBytes;
};
// chacha20-poly1305 takes two keys and derives its nonces from sequence numbers; its block is the stream cipher's, 8 by the RFC.
constexpr std::array kCiphers = std::to_array<CipherRow>({
    {"none", CipherKind::None, nullptr, 0, 0, 8, 0},
    {"aes128-ctr", CipherKind::Ctr, "AES-128-CTR", 16, 16, 16, 0},
    {"aes192-ctr", CipherKind::Ctr, "AES-192-CTR", 24, 16, 16, 0},
    {"aes256-ctr", CipherKind::Ctr, "AES-256-CTR", 32, 16, 16, 0},
    {"aes128-gcm@openssh.com", CipherKind::Gcm, "AES-128-GCM", 16, 12, 16, 16},
    {"aes256-gcm@openssh.com", CipherKind::Gcm, "AES-256-GCM", 32, 12, 16, 16},
    {"chacha20-poly1305@openssh.com", CipherKind::ChaCha, "ChaCha20", 64, 0, 8, 16},
});

struct MacRow {
  std::string_view name;
  const char *digest;
  bool etm;
  size_t bytes; ///< of key and tag alike
};
constexpr std::array kMacs = std::to_array<MacRow>({
    {"hmac-sha2-256", "SHA256", false, 32},
    {"hmac-sha2-512", "SHA512", false, 64},
    {"hmac-sha2-256-etm@openssh.com", "SHA256", true, 32},
    {"hmac-sha2-512-etm@openssh.com", "SHA512", true, 64},
    {"hmac-sha1", "SHA1", false, 20},
    {"hmac-sha1-etm@openssh.com", "SHA1", true, 20},
});

} // namespace

std::optional<CipherSuite> FindCipherSuite(std::string_view cipher, std::string_view mac) noexcept {
  for (const CipherRow &row : kCiphers) {
    if (row.name != cipher) continue;
    CipherSuite suite{row.kind, row.cipher, nullptr, false, row.keyBytes, row.ivBytes, 0, row.blockBytes, row.tagBytes};
    if (suite.Aead()) return suite;
    if (suite.kind == CipherKind::None) {
      if (mac.empty() || mac == "none") return suite;
      return std::nullopt;
    }
    for (const MacRow &one : kMacs) {
      if (one.name != mac) continue;
      suite.digest = one.digest;
      suite.etm = one.etm;
      suite.macKeyBytes = suite.tagBytes = one.bytes;
      return suite;
    }
  }
  return std::nullopt;
}

} // namespace sallyport
