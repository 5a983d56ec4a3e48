// One operation on every thread of the process, whatever it is doing. Cannot be undone.
//
// How a thread is reached: by SIGSETXID (33), the signal with which glibc itself changes the ids of all threads. Its own functions
// never let a thread block it, so it reaches also those that block "all" signals, as Node's SignalInspector does.
//
// Two phases, so that nothing is half done: each thread first stops in the handler and says so; only when the kernel's list of threads
// holds nobody else (a thread that is stopped starts no other) does one of them carry the operation out, and when that went
// well the others do, and the caller last. If a thread does not stop in time (it sleeps uninterruptibly, or blocked the
// signal by a raw call), all are let go unchanged. Meanwhile the caller must not allocate: a stopped thread may hold malloc's lock.
//
// The threads return from the handler after the operation, so a filter must allow rt_sigreturn(2).
#pragma once
#include <cstddef>
#include <cstdint>
#include <sys/types.h>

#include "result.h"

namespace sallyport {

/// Data only, read by every thread while the handshake runs.
struct ThreadOperation {
  enum class Kind { NoNewPrivs, Seccomp, Capabilities, Securebits, Landlock } kind = Kind::NoNewPrivs;
  const uint64_t *program = nullptr; ///< Seccomp: instructions of 8 bytes
  size_t instructions = 0;
  uint64_t permitted = 0, bounding = 0; ///< Capabilities
  unsigned long bits = 0;               ///< Securebits
  int ruleset = -1;                     ///< Landlock; stays the caller's
};

struct HandshakeOutcome {
  int error = 0;          ///< 0: done on every thread
  const char *call = "";
  pid_t tid = 0;          ///< the thread that failed or did not answer
  bool unchanged = false; ///< with an error: no thread has been changed
};

/// ETIMEDOUT after `timeoutMs` for a thread that does not answer, EBUSY when another handshake runs. Needs /proc.
HandshakeOutcome RunOnEveryThread(const ThreadOperation &operation, int timeoutMs) noexcept;

} // namespace sallyport
