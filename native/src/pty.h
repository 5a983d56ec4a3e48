// Pseudo-terminals: pty(7), ioctl_tty(2).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <sys/types.h>

#include "result.h"

namespace sallyport {

struct Pty {
  int master = -1; ///< non-blocking
  int slave = -1;
  std::array<char, 64> name{};
};

/// Both close-on-exec and the caller's; neither becomes a controlling terminal.
Result<Pty> OpenPty() noexcept;
Status SetWindowSize(int fd, uint16_t columns, uint16_t rows, uint16_t widthPixels, uint16_t heightPixels) noexcept;
/// Encoded modes of RFC 4254 section 8; what is unknown or out of place is skipped, what is cut off ends it.
Status SetTerminalModes(int fd, const uint8_t *modes, size_t length) noexcept;
/// The foreground process group, or -1.
pid_t ForegroundGroup(int fd) noexcept;

} // namespace sallyport
