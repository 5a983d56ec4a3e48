#include "padding.h"

#include <cstring>
#include <sys/random.h>

#include "fork.h"
#include "result.h"

namespace sallyport {

bool Padding::Seed() noexcept {
  std::array<uint8_t, 32> key;
  if (Retry([&] { return getrandom(key.data(), key.size(), 0); }) != static_cast<ssize_t>(key.size())) return false;
  // The nonce may be 0: the key is used for this stream alone.
  constexpr std::array<uint8_t, 16> nonce{};
  stream_ = NewCipherContext("ChaCha20", key.data(), nonce.data(), true);
  OPENSSL_cleanse(key.data(), key.size());
  generation_ = ForkGeneration();
  left_ = 0;
  return stream_ != nullptr;
}

bool Padding::Fill(uint8_t *at, size_t length) noexcept {
  if ((stream_ == nullptr || generation_ != ForkGeneration()) && !Seed()) return false;
  if (left_ < length) {
    int done = 0;
    pool_.fill(0);
    if (EVP_CipherUpdate(stream_.get(), pool_.data(), &done, pool_.data(), static_cast<int>(pool_.size())) != 1)
      return false;
    left_ = pool_.size();
  }
  left_ -= length;
  memcpy(at, pool_.data() + left_, length);
  return true;
}

} // namespace sallyport
