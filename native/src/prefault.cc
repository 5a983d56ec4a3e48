#include "prefault.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <malloc.h>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace sallyport {
namespace {

constexpr uint64_t kPageBytes = 4096;
/// Bits of a pagemap entry: the page is in memory, and nobody else maps it.
constexpr uint64_t kPresent = 1ULL << 63;
constexpr uint64_t kExclusive = 1ULL << 56;
/// Entries read at a time.
constexpr size_t kBatch = 512;

/// Below malloc's threshold for a mapping of its own (128 KiB).
constexpr size_t kLargestChunk = size_t{120} * 1024;
constexpr size_t kSmallestChunk = 24;
/// The arena grows by this much at a time, and does not shrink: each change is a system call that a filter has to know.
constexpr int kTopPad = 1 << 20;

/// V8 looks for its pages at random below the second (GetRandomMmapAddr in its platform code keeps 46 bits), and the kernel puts what has no
/// wish above it; the program and malloc's arena end long before the first.
constexpr uint64_t kFirstHint = 1ULL << 36;
constexpr uint64_t kHintsEnd = 1ULL << 46;

using File = std::unique_ptr<FILE, int (*)(FILE *)>;

void Add(std::vector<PageRange> &ranges, uint64_t page) noexcept {
  if (!ranges.empty() && page <= ranges.back().end + kPageBytes) ranges.back().end = page + kPageBytes;
  else ranges.push_back({page, page + kPageBytes});
}

/// The pages of [start, end) that are the other process's own.
bool Scan(int pagemap, uint64_t start, uint64_t end, std::vector<PageRange> &ranges) noexcept {
  uint64_t entries[kBatch];
  while (start < end) {
    const size_t wanted = std::min<size_t>(kBatch, (end - start) / kPageBytes);
    const auto offset = static_cast<off_t>(start / kPageBytes * sizeof(uint64_t));
    const ssize_t got = pread(pagemap, entries, wanted * sizeof(uint64_t), offset);
    if (got <= 0) return got == 0;
    const size_t count = static_cast<size_t>(got) / sizeof(uint64_t);
    for (size_t i = 0; i < count; i += 1) {
      if ((entries[i] & kPresent) != 0 && (entries[i] & kExclusive) != 0) Add(ranges, start + i * kPageBytes);
    }
    start += count * kPageBytes;
  }
  return true;
}

} // namespace

Result<std::vector<PageRange>> PagesOfItsOwn(pid_t pid) noexcept {
  using Ranges = std::vector<PageRange>;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
  const UniqueFd pagemap(open(path, O_RDONLY | O_CLOEXEC));
  if (!pagemap.Open()) return FailedAs<Ranges>("open");
  const File maps(fopen("/proc/self/maps", "re"), fclose);
  if (maps == nullptr) return FailedAs<Ranges>("open");
  Ranges ranges;
  char line[4096 + 512];
  while (fgets(line, sizeof line, maps.get()) != nullptr) {
    uint64_t start = 0;
    uint64_t end = 0;
    char permissions[5] = "";
    if (sscanf(line, "%lx-%lx %4s", &start, &end, permissions) != 3) continue; // NOLINT(cert-err34-c)
    if (permissions[0] != 'r' || permissions[1] != 'w' || permissions[3] != 'p') continue;
    if (!Scan(pagemap.Get(), start, end, ranges)) return FailedAs<Ranges>("pread");
  }
  return {std::move(ranges)};
}

void Populate(const PageRange *ranges, size_t count) noexcept {
  for (size_t i = 0; i < count; i += 1) {
    // The numbers come from our own maps. NOLINTNEXTLINE(performance-no-int-to-ptr)
    madvise(reinterpret_cast<void *>(ranges[i].start), ranges[i].end - ranges[i].start, MADV_POPULATE_WRITE);
  }
}

size_t PackHeap() noexcept {
  malloc_trim(0);
  const auto heapEnd = reinterpret_cast<uintptr_t>(sbrk(0)); // NOLINT(performance-no-int-to-ptr)
  // What malloc would give from here on is the arena's last, still undivided part; a page or two of it may be in use.
  const uintptr_t top = heapEnd - mallinfo2().keepcost - 2 * kPageBytes;
  size_t packed = 0;
  for (size_t size = kLargestChunk; size >= kSmallestChunk;) {
    void *const chunk = malloc(size); // NOLINT(cppcoreguidelines-no-malloc)
    const auto address = reinterpret_cast<uintptr_t>(chunk);
    if (chunk != nullptr && address < top) {
      packed += size; // never freed: that is the purpose
      continue;
    }
    free(chunk); // NOLINT(cppcoreguidelines-no-malloc)
    size -= size > kPageBytes ? size / 8 : 16;
  }
  mallopt(M_TOP_PAD, kTopPad);
  mallopt(M_TRIM_THRESHOLD, 64 * kTopPad);
  return packed;
}

Status KeepHeapTogether(std::vector<PageRange> &taken) noexcept {
  const File maps(fopen("/proc/self/maps", "re"), fclose);
  if (maps == nullptr) return Failed("open");
  std::vector<PageRange> gaps;
  uint64_t from = kFirstHint;
  char line[4096 + 512];
  while (fgets(line, sizeof line, maps.get()) != nullptr) {
    uint64_t start = 0;
    uint64_t end = 0;
    if (sscanf(line, "%lx-%lx", &start, &end) != 2) continue; // NOLINT(cert-err34-c)
    if (start >= kHintsEnd) break;
    if (start > from) gaps.push_back({from, start});
    from = std::max(from, end);
  }
  if (from < kHintsEnd) gaps.push_back({from, kHintsEnd});
  for (const PageRange &gap : gaps) {
    void *const wanted = reinterpret_cast<void *>(gap.start); // NOLINT(performance-no-int-to-ptr)
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    void *const got = mmap(wanted, gap.end - gap.start, PROT_NONE, kFlags, -1, 0);
    if (got == MAP_FAILED) return Failed("mmap");
    // A kernel before 4.17 takes the address for a hint.
    if (got == wanted) taken.push_back(gap);
    else munmap(got, gap.end - gap.start);
  }
  return Done();
}

void LetHeapScatter(const std::vector<PageRange> &taken) noexcept {
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  for (const auto &[start, end] : taken) munmap(reinterpret_cast<void *>(start), end - start);
}

} // namespace sallyport
