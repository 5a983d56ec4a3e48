// aes*-ctr (RFC 4344) with an HMAC (RFC 4253 section 6.4, RFC 6668), over the packet in clear or, in the "etm" forms (OpenSSH's
// PROTOCOL section 1.1), over length field and ciphertext.
#include <array>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "packet-crypt.h"

namespace sallyport {
namespace {

constexpr size_t kBlock = 16;

class Ctr final : public PacketCrypt {
public:
  Ctr(CipherContext cipher, MacContext mac, const CipherSuite &suite) noexcept
      : cipher_(std::move(cipher)), mac_(std::move(mac)), etm_(suite.etm), tagBytes_(suite.tagBytes) {}
  ~Ctr() override { OPENSSL_cleanse(first_.data(), first_.size()); }

  bool Seal(uint8_t *packet, size_t bodyBytes, uint32_t sequence) noexcept override {
    uint8_t *tag = packet + kLengthBytes + bodyBytes;
    if (etm_) {
      return Crypt(packet + kLengthBytes, bodyBytes) && Tag(packet, kLengthBytes + bodyBytes, sequence, tag);
    }
    return Tag(packet, kLengthBytes + bodyBytes, sequence, tag) && Crypt(packet, kLengthBytes + bodyBytes);
  }

  size_t HeadBytes() const noexcept override { return etm_ ? kLengthBytes : kBlock; }

  bool ReadLength(const uint8_t *packet, uint32_t, uint32_t &length) noexcept override {
    if (etm_) {
      length = GetUint32(packet);
      return true;
    }
    // The keystream is spent by this, so the block is kept until the rest of the packet is there.
    memcpy(first_.data(), packet, kBlock);
    if (!Crypt(first_.data(), kBlock)) return false;
    length = GetUint32(first_.data());
    return true;
  }

  bool Open(uint8_t *packet, size_t bodyBytes, uint32_t sequence) noexcept override {
    const size_t bytes = kLengthBytes + bodyBytes;
    std::array<uint8_t, kMaxTagBytes> tag;
    if (etm_) {
      return Tag(packet, bytes, sequence, tag.data()) && Same(tag.data(), packet + bytes) &&
             Crypt(packet + kLengthBytes, bodyBytes);
    }
    memcpy(packet, first_.data(), kBlock);
    return Crypt(packet + kBlock, bytes - kBlock) && Tag(packet, bytes, sequence, tag.data()) &&
           Same(tag.data(), packet + bytes);
  }

private:
  bool Crypt(uint8_t *data, size_t length) noexcept {
    int done = 0;
    const int bytes = static_cast<int>(length);
    return EVP_CipherUpdate(cipher_.get(), data, &done, data, bytes) == 1 && done == bytes;
  }
  bool Tag(const uint8_t *data, size_t length, uint32_t sequence, uint8_t *tag) noexcept {
    uint8_t number[4];
    PutUint32(number, sequence);
    size_t written = 0;
    // Without a key it starts again with the one that it has.
    return EVP_MAC_init(mac_.get(), nullptr, 0, nullptr) == 1 &&
           EVP_MAC_update(mac_.get(), number, sizeof number) == 1 && EVP_MAC_update(mac_.get(), data, length) == 1 &&
           EVP_MAC_final(mac_.get(), tag, &written, tagBytes_) == 1 && written == tagBytes_;
  }
  bool Same(const uint8_t *ours, const uint8_t *theirs) const noexcept {
    return CRYPTO_memcmp(ours, theirs, tagBytes_) == 0;
  }

  CipherContext cipher_;
  MacContext mac_;
  bool etm_;
  size_t tagBytes_;
  std::array<uint8_t, kBlock> first_{};
};

MacContext NewHmac(const CipherSuite &suite, const uint8_t *key) noexcept {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
  MacContext context(hmac == nullptr ? nullptr : EVP_MAC_CTX_new(hmac.get()));
  // OpenSSL's parameters are not const, though it only reads this one.
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char *>(suite.digest), 0),
      OSSL_PARAM_construct_end()};
  if (context == nullptr || EVP_MAC_init(context.get(), key, suite.macKeyBytes, parameters) != 1) return nullptr;
  return context;
}

} // namespace

std::unique_ptr<PacketCrypt> MakeCtr(const CipherSuite &suite, const KeyMaterial &keys) noexcept {
  // A stream cipher: both directions encrypt.
  CipherContext cipher = NewCipherContext(suite.cipher, keys.key, keys.iv, true);
  MacContext mac = NewHmac(suite, keys.macKey);
  if (cipher == nullptr || mac == nullptr) return nullptr;
  return std::make_unique<Ctr>(std::move(cipher), std::move(mac), suite);
}

} // namespace sallyport
