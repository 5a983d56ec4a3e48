#include "packet-crypt.h"

namespace sallyport {
namespace {

/// Before the first NEWKEYS: no secret, no tag.
class NoCrypt final : public PacketCrypt {
public:
  bool Seal(uint8_t *, size_t, uint32_t) noexcept override { return true; }
  size_t HeadBytes() const noexcept override { return kLengthBytes; }
  bool ReadLength(const uint8_t *packet, uint32_t, uint32_t &length) noexcept override {
    length = GetUint32(packet);
    return true;
  }
  bool Open(uint8_t *, size_t, uint32_t) noexcept override { return true; }
};

} // namespace

CipherContext NewCipherContext(const char *name, const uint8_t *key, const uint8_t *iv, bool sealing) noexcept {
  const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> cipher(EVP_CIPHER_fetch(nullptr, name, nullptr),
                                                                       EVP_CIPHER_free);
  CipherContext context(EVP_CIPHER_CTX_new());
  if (cipher == nullptr || context == nullptr ||
      EVP_CipherInit_ex2(context.get(), cipher.get(), key, iv, sealing ? 1 : 0, nullptr) != 1)
    return nullptr;
  return context;
}

std::unique_ptr<PacketCrypt> MakePacketCrypt(const CipherSuite &suite, const KeyMaterial &keys, bool sealing) noexcept {
  switch (suite.kind) {
  case CipherKind::None: return std::make_unique<NoCrypt>();
  case CipherKind::Ctr: return MakeCtr(suite, keys);
  case CipherKind::Gcm: return MakeGcm(suite, keys, sealing);
  case CipherKind::ChaCha: return MakeChaCha(suite, keys);
  }
  return nullptr;
}

} // namespace sallyport
