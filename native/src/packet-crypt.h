// What differs between ciphers: sealing and opening one packet in place. RFC 4253 section 6.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "cipher-suite.h"

namespace sallyport {

struct KeyMaterial {
  const uint8_t *key;
  const uint8_t *iv;
  const uint8_t *macKey;
};

/// One direction of one key: contexts and counters live from packet to packet. Not thread-safe. Contexts hold the keys and
/// cleanse them when they go.
class PacketCrypt {
public:
  virtual ~PacketCrypt() = default;
  PacketCrypt() = default;
  PacketCrypt(const PacketCrypt &) = delete;
  PacketCrypt &operator=(const PacketCrypt &) = delete;

  /// `packet` is the length field and `bodyBytes` of body in clear; encrypts in place and writes the tag behind. False: OpenSSL failed.
  virtual bool Seal(uint8_t *packet, size_t bodyBytes, uint32_t sequence) noexcept = 0;

  /// How many bytes of a packet must be there before its length can be read.
  virtual size_t HeadBytes() const noexcept = 0;
  /// The length field, from the packet's first HeadBytes(), which stay as they are. Called once a packet. False: OpenSSL failed.
  virtual bool ReadLength(const uint8_t *packet, uint32_t sequence, uint32_t &length) noexcept = 0;
  /// Verifies the tag behind the body and decrypts the body in place. False: forged; the body may hold garbage then and must be
  /// wiped.
  virtual bool Open(uint8_t *packet, size_t bodyBytes, uint32_t sequence) noexcept = 0;
};

/// Null when OpenSSL cannot (memory, or an algorithm that its configuration forbids).
std::unique_ptr<PacketCrypt> MakePacketCrypt(const CipherSuite &suite, const KeyMaterial &keys, bool sealing) noexcept;

// Per kind of cipher, for the above.
std::unique_ptr<PacketCrypt> MakeGcm(const CipherSuite &suite, const KeyMaterial &keys, bool sealing) noexcept;
std::unique_ptr<PacketCrypt> MakeChaCha(const CipherSuite &suite, const KeyMaterial &keys) noexcept;
std::unique_ptr<PacketCrypt> MakeCtr(const CipherSuite &suite, const KeyMaterial &keys) noexcept;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX *context) const noexcept { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_MAC_CTX *context) const noexcept { EVP_MAC_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeContext>;
/// Keyed, without padding; null on failure.
CipherContext NewCipherContext(const char *name, const uint8_t *key, const uint8_t *iv, bool sealing) noexcept;

inline void PutUint32(uint8_t *at, uint32_t value) noexcept {
  at[0] = static_cast<uint8_t>(value >> 24);
  at[1] = static_cast<uint8_t>(value >> 16);
  at[2] = static_cast<uint8_t>(value >> 8);
  at[3] = static_cast<uint8_t>(value);
}
inline uint32_t GetUint32(const uint8_t *at) noexcept {
  return static_cast<uint32_t>(at[0]) << 24 | static_cast<uint32_t>(at[1]) << 16 |
         static_cast<uint32_t>(at[2]) << 8 | at[3];
}

} // namespace sallyport
