// aes*-gcm@openssh.com: RFC 5647 section 7, with the length field in clear as additional data.
#include <array>
#include <cstring>

#include "packet-crypt.h"

namespace sallyport {
namespace {

constexpr size_t kIvBytes = 12, kTagBytes = 16;

class Gcm final : public PacketCrypt {
public:
  Gcm(CipherContext context, const uint8_t *iv) noexcept : context_(std::move(context)) {
    memcpy(iv_.data(), iv, kIvBytes);
  }
  ~Gcm() override { OPENSSL_cleanse(iv_.data(), iv_.size()); }

  bool Seal(uint8_t *packet, size_t bodyBytes, uint32_t) noexcept override {
    EVP_CIPHER_CTX *context = context_.get();
    uint8_t *body = packet + kLengthBytes;
    const int bytes = static_cast<int>(bodyBytes);
    int done = 0;
    const bool sealed = EVP_EncryptInit_ex2(context, nullptr, nullptr, iv_.data(), nullptr) == 1 &&
                        EVP_EncryptUpdate(context, nullptr, &done, packet, kLengthBytes) == 1 &&
                        EVP_EncryptUpdate(context, body, &done, body, bytes) == 1 && done == bytes &&
                        EVP_EncryptFinal_ex(context, body + bodyBytes, &done) == 1 &&
                        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, body + bodyBytes) == 1;
    CountInvocation();
    return sealed;
  }

  size_t HeadBytes() const noexcept override { return kLengthBytes; }
  bool ReadLength(const uint8_t *packet, uint32_t, uint32_t &length) noexcept override {
    length = GetUint32(packet);
    return true;
  }

  bool Open(uint8_t *packet, size_t bodyBytes, uint32_t) noexcept override {
    EVP_CIPHER_CTX *context = context_.get();
    uint8_t *body = packet + kLengthBytes;
    const int bytes = static_cast<int>(bodyBytes);
    int done = 0;
    uint8_t none[16];
    const bool genuine = EVP_DecryptInit_ex2(context, nullptr, nullptr, iv_.data(), nullptr) == 1 &&
                         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, body + bodyBytes) == 1 &&
                         EVP_DecryptUpdate(context, nullptr, &done, packet, kLengthBytes) == 1 &&
                         EVP_DecryptUpdate(context, body, &done, body, bytes) == 1 && done == bytes &&
                         EVP_DecryptFinal_ex(context, none, &done) == 1; // compares the tag, in constant time
    CountInvocation();
    return genuine;
  }

private:
  /// The last 8 bytes are a big-endian counter, the first 4 stay.
  void CountInvocation() noexcept {
    for (size_t i = kIvBytes; i-- > 4;) {
      iv_[i] = static_cast<uint8_t>(iv_[i] + 1);
      if (iv_[i] != 0) return;
    }
  }

  CipherContext context_;
  std::array<uint8_t, kIvBytes> iv_{};
};

} // namespace

std::unique_ptr<PacketCrypt> MakeGcm(const CipherSuite &suite, const KeyMaterial &keys, bool sealing) noexcept {
  CipherContext context = NewCipherContext(suite.cipher, keys.key, nullptr, sealing);
  if (context == nullptr) return nullptr;
  return std::make_unique<Gcm>(std::move(context), keys.iv);
}

} // namespace sallyport
