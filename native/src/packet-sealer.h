// Whole packets of the binary packet protocol, out and in: RFC 4253 section 6.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "packet-crypt.h"
#include "padding.h"

namespace sallyport {

class PacketSealer {
public:
  PacketSealer(const CipherSuite &suite, std::unique_ptr<PacketCrypt> crypt) noexcept
      : suite_(suite), crypt_(std::move(crypt)) {}

  /// A payload of n bytes takes at most n + this.
  size_t OverheadBytes() const noexcept { return kLengthBytes + 1 + suite_.blockBytes + 3 + suite_.tagBytes; }

  enum class Outcome { Sealed, NoRoom, Failed };
  /// Length, padding length, `header`, `data`, padding and tag into `out`; `size` says how many bytes. `data` must not
  /// overlap `out`.
  Outcome Seal(std::span<uint8_t> out, std::span<const uint8_t> header, std::span<const uint8_t> data,
               uint32_t sequence, size_t &size) noexcept;

private:
  CipherSuite suite_;
  std::unique_ptr<PacketCrypt> crypt_;
  Padding padding_;
};

class PacketOpener {
public:
  PacketOpener(const CipherSuite &suite, std::unique_ptr<PacketCrypt> crypt, uint32_t maxPacketBytes) noexcept
      : suite_(suite), crypt_(std::move(crypt)), maxPacketBytes_(maxPacketBytes) {}

  static constexpr int kNeedMore = 0, kBadLength = -1, kBadMac = -2, kBadPadding = -3;
  struct Opened {
    int result = kNeedMore; ///< bytes taken, kNeedMore, or a refusal, which stands for good
    size_t payloadAt = 0;   ///< from the packet's start
    size_t payloadBytes = 0; ///< or, with kNeedMore, the total needed (0: not known yet)
  };
  /// Opens in place the packet whose first bytes are `packet`, which may be longer or shorter than it.
  Opened Open(std::span<uint8_t> packet, uint32_t sequence) noexcept;

private:
  Opened Refuse(int why) noexcept;
  bool LengthFits() const noexcept;

  CipherSuite suite_;
  std::unique_ptr<PacketCrypt> crypt_;
  uint32_t maxPacketBytes_;
  bool lengthKnown_ = false;
  uint32_t length_ = 0; ///< of the body: padding length, payload, padding
  int refused_ = 0;
};

} // namespace sallyport
