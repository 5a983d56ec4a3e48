// Random padding, many packets' worth at a time: a getrandom(2) a packet costs a tenth of a bulk transfer.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "packet-crypt.h"

namespace sallyport {

class Padding {
public:
  ~Padding() { OPENSSL_cleanse(pool_.data(), pool_.size()); }
  /// `length` at most 255. False: no randomness. Seeds itself anew in a forked child, which must not repeat its siblings' bytes.
  bool Fill(uint8_t *at, size_t length) noexcept;

private:
  bool Seed() noexcept;
  CipherContext stream_;
  uint32_t generation_ = 0;
  std::array<uint8_t, 2048> pool_{};
  size_t left_ = 0;
};

} // namespace sallyport
