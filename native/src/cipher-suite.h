// The ciphers and MACs of the binary packet protocol by their SSH names: RFC 4253, 4344, 5647, 6668, PROTOCOL.chacha20poly1305.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace sallyport {

enum class CipherKind { None, Ctr, Gcm, ChaCha };

struct CipherSuite {
  CipherKind kind = CipherKind::None;
  const char *cipher = nullptr; ///< OpenSSL's name
  const char *digest = nullptr; ///< of the HMAC; null for AEAD ciphers and none
  bool etm = false;             ///< encrypt-then-MAC
  size_t keyBytes = 0, ivBytes = 0, macKeyBytes = 0, blockBytes = 8, tagBytes = 0;

  bool Aead() const noexcept { return kind == CipherKind::Gcm || kind == CipherKind::ChaCha; }
  /// The length field is not among the bytes that must be a multiple of the block.
  bool LengthApart() const noexcept { return Aead() || etm; }
};

/// Empty for an unknown name, and for a cipher without the MAC that it needs. `mac` is ignored for AEAD ciphers.
std::optional<CipherSuite> FindCipherSuite(std::string_view cipher, std::string_view mac) noexcept;

/// The longest tag above.
inline constexpr size_t kMaxTagBytes = 64;
inline constexpr size_t kLengthBytes = 4;

} // namespace sallyport
