// chacha20-poly1305@openssh.com (PROTOCOL.chacha20poly1305): the first half of the key, K_2, for body and Poly1305 key; the second,
// K_1, for the length field. The nonce is the sequence number. Not the construction of RFC 8439.
#include <array>
#include <cstring>

#include "packet-crypt.h"

namespace sallyport {
namespace {

constexpr size_t kKeyBytes = 32, kTagBytes = 16, kBlockBytes = 64;

class ChaCha final : public PacketCrypt {
public:
  ChaCha(CipherContext body, CipherContext length, MacContext mac) noexcept
      : body_(std::move(body)), length_(std::move(length)), mac_(std::move(mac)) {}

  bool Seal(uint8_t *packet, size_t bodyBytes, uint32_t sequence) noexcept override {
    uint8_t *body = packet + kLengthBytes;
    const int bytes = static_cast<int>(bodyBytes);
    int done = 0;
    return CryptLength(packet, packet, sequence) && StartBody(sequence) &&
           EVP_CipherUpdate(body_.get(), body, &done, body, bytes) == 1 && done == bytes &&
           Tag(packet, kLengthBytes + bodyBytes, body + bodyBytes);
  }

  size_t HeadBytes() const noexcept override { return kLengthBytes; }
  bool ReadLength(const uint8_t *packet, uint32_t sequence, uint32_t &length) noexcept override {
    uint8_t clear[kLengthBytes];
    if (!CryptLength(packet, clear, sequence)) return false;
    length = GetUint32(clear);
    return true;
  }

  bool Open(uint8_t *packet, size_t bodyBytes, uint32_t sequence) noexcept override {
    uint8_t *body = packet + kLengthBytes;
    const int bytes = static_cast<int>(bodyBytes);
    int done = 0;
    uint8_t tag[kTagBytes];
    return StartBody(sequence) && Tag(packet, kLengthBytes + bodyBytes, tag) &&
           CRYPTO_memcmp(tag, body + bodyBytes, kTagBytes) == 0 &&
           EVP_CipherUpdate(body_.get(), body, &done, body, bytes) == 1 && done == bytes;
  }

private:
  using Nonce = std::array<uint8_t, 16>;
  /// OpenSSL's "IV": a little-endian block counter of 8 bytes, 0 here, and the nonce of 8 bytes, big-endian.
  static Nonce NonceOf(uint32_t sequence) noexcept {
    Nonce nonce{};
    PutUint32(nonce.data() + 12, sequence);
    return nonce;
  }

  bool CryptLength(const uint8_t *from, uint8_t *to, uint32_t sequence) noexcept {
    const Nonce nonce = NonceOf(sequence);
    int done = 0;
    return EVP_CipherInit_ex2(length_.get(), nullptr, nullptr, nonce.data(), 1, nullptr) == 1 &&
           EVP_CipherUpdate(length_.get(), to, &done, from, kLengthBytes) == 1 && done == kLengthBytes;
  }

  /// Block 0 of the keystream is the Poly1305 key; the body's context then stands at block 1, where the body begins.
  bool StartBody(uint32_t sequence) noexcept {
    static constexpr std::array<uint8_t, kBlockBytes> zeros{};
    std::array<uint8_t, kBlockBytes> block;
    const Nonce nonce = NonceOf(sequence);
    int done = 0;
    const bool keyed = EVP_CipherInit_ex2(body_.get(), nullptr, nullptr, nonce.data(), 1, nullptr) == 1 &&
                       EVP_CipherUpdate(body_.get(), block.data(), &done, zeros.data(), kBlockBytes) == 1 &&
                       EVP_MAC_init(mac_.get(), block.data(), kKeyBytes, nullptr) == 1;
    OPENSSL_cleanse(block.data(), block.size());
    return keyed;
  }

  bool Tag(const uint8_t *data, size_t length, uint8_t *tag) noexcept {
    size_t written = 0;
    return EVP_MAC_update(mac_.get(), data, length) == 1 &&
           EVP_MAC_final(mac_.get(), tag, &written, kTagBytes) == 1 && written == kTagBytes;
  }

  CipherContext body_;
  CipherContext length_;
  MacContext mac_;
};

} // namespace

std::unique_ptr<PacketCrypt> MakeChaCha(const CipherSuite &suite, const KeyMaterial &keys) noexcept {
  // A stream cipher: both directions encrypt.
  CipherContext body = NewCipherContext(suite.cipher, keys.key, nullptr, true);
  CipherContext length = NewCipherContext(suite.cipher, keys.key + kKeyBytes, nullptr, true);
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> poly(EVP_MAC_fetch(nullptr, "POLY1305", nullptr), EVP_MAC_free);
  MacContext mac(poly == nullptr ? nullptr : EVP_MAC_CTX_new(poly.get()));
  if (body == nullptr || length == nullptr || mac == nullptr) return nullptr;
  return std::make_unique<ChaCha>(std::move(body), std::move(length), std::move(mac));
}

} // namespace sallyport
