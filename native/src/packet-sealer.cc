#include "packet-sealer.h"

#include <cstring>

namespace sallyport {

constexpr size_t kMinPadding = 4;
/// Far above any packet, and an int for OpenSSL.
constexpr size_t kMaxPayload = 1U << 30;

PacketSealer::Outcome PacketSealer::Seal(std::span<uint8_t> out, std::span<const uint8_t> header,
                                         std::span<const uint8_t> data, uint32_t sequence, size_t &size) noexcept {
  const size_t payload = header.size() + data.size();
  if (header.size() > kMaxPayload || data.size() > kMaxPayload || payload > kMaxPayload) return Outcome::NoRoom;
  const size_t block = suite_.blockBytes;
  const size_t counted = (suite_.LengthApart() ? 0 : kLengthBytes) + 1 + payload;
  size_t padding = block - counted % block;
  if (padding < kMinPadding) padding += block;
  const size_t body = 1 + payload + padding;
  size = kLengthBytes + body + suite_.tagBytes;
  if (size > out.size()) return Outcome::NoRoom;
  uint8_t *at = out.data();
  PutUint32(at, static_cast<uint32_t>(body));
  at[kLengthBytes] = static_cast<uint8_t>(padding);
  at += kLengthBytes + 1;
  if (!header.empty()) memmove(at, header.data(), header.size());
  at += header.size();
  if (!data.empty()) memmove(at, data.data(), data.size());
  at += data.size();
  if (!padding_.Fill(at, padding) || !crypt_->Seal(out.data(), body, sequence)) {
    OPENSSL_cleanse(out.data(), size); // half-encrypted bytes must not be sent by mistake
    return Outcome::Failed;
  }
  return Outcome::Sealed;
}

PacketOpener::Opened PacketOpener::Refuse(int why) noexcept {
  refused_ = why;
  return {why, 0, 0};
}

bool PacketOpener::LengthFits() const noexcept {
  // A padding length, one byte of payload and the padding that RFC 4253 wants.
  if (length_ < 1 + 1 + kMinPadding || length_ > maxPacketBytes_) return false;
  const size_t counted = (suite_.LengthApart() ? 0 : kLengthBytes) + length_;
  return counted % suite_.blockBytes == 0;
}

PacketOpener::Opened PacketOpener::Open(std::span<uint8_t> packet, uint32_t sequence) noexcept {
  if (refused_ != 0) return {refused_, 0, 0};
  if (!lengthKnown_) {
    if (packet.size() < crypt_->HeadBytes()) return {};
    if (!crypt_->ReadLength(packet.data(), sequence, length_)) return Refuse(kBadMac);
    if (!LengthFits()) return Refuse(kBadLength);
    lengthKnown_ = true;
  }
  const size_t whole = kLengthBytes + length_ + suite_.tagBytes;
  if (packet.size() < whole) return {kNeedMore, 0, whole};
  lengthKnown_ = false;
  if (!crypt_->Open(packet.data(), length_, sequence)) {
    OPENSSL_cleanse(packet.data(), whole); // nothing of what was not verified may be seen
    return Refuse(kBadMac);
  }
  const size_t padding = packet[kLengthBytes];
  if (padding < kMinPadding || padding + 1 + 1 > length_) {
    OPENSSL_cleanse(packet.data(), whole);
    return Refuse(kBadPadding);
  }
  return {static_cast<int>(whole), kLengthBytes + 1, length_ - 1 - padding};
}

} // namespace sallyport
