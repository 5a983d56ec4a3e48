// Reading, writing and closing descriptors. All act on the process's descriptor table; read(2), write(2), close_range(2).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "result.h"

namespace sallyport {

/// Nothing to read, or no room to write.
inline constexpr ssize_t kWouldBlock = -1;

/// Bytes read, 0 at the end (EIO of a pty master without slave too), or kWouldBlock.
Result<ssize_t> Read(int fd, uint8_t *data, size_t length) noexcept;
/// Bytes written (maybe short) or kWouldBlock. The caller ignores SIGPIPE for the process.
Result<ssize_t> Write(int fd, const uint8_t *data, size_t length) noexcept;
Status Close(int fd) noexcept;
Result<int> Duplicate(int fd) noexcept;
Status SetNonBlocking(int fd, bool on) noexcept;
Status SetCloseOnExec(int fd, bool on) noexcept;
Result<std::pair<int, int>> Pipe() noexcept;
/// False: the kernel refuses, since the user holds enough pipe pages already (pipe(7)); the pipe is as before.
bool GrowPipe(int fd, int bytes) noexcept;
Result<int> Open(const char *path, int flags, mode_t mode) noexcept;
/// Sealed against every change, at offset 0. The caller owns it. memfd_create(2).
Result<int> MemoryFile(const char *name, const uint8_t *data, size_t length) noexcept;
/// Cannot be undone. Sorts `keep`.
Status CloseAllExcept(std::vector<int> keep) noexcept;
/// Sorted, without the one that lists them. Needs /proc.
Result<std::vector<int>> OpenDescriptors() noexcept;

} // namespace sallyport
