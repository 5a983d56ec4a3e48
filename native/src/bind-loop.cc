// The fork as JavaScript sees it: what libuv's event loop needs before and after it.
#include <csignal>
#include <cstdlib>
#include <sys/resource.h>
#include <sys/stat.h>

#include <uv.h>

#include "bind.h"
#include "fork.h"

namespace sallyport::bind {
namespace {

uv_loop_t *LoopOf(Napi::Env env) {
  uv_loop_t *loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Napi::Error::New(env, "Cannot find the event loop");
  return loop;
}

constexpr size_t kStackRoom = 65536;
constexpr size_t kStackNeeded = kStackRoom / 2;

__attribute__((noinline)) void TouchStack() noexcept {
  volatile char below[kStackRoom];
  for (size_t i = 0; i < sizeof below; i += 4096) below[i] = 0;
}

/// Makes the stack's mapping reach at least 32 KiB below here, so that it need not grow while growing is forbidden. A mapping once grown stays
/// so, also in children: touching pages again (as the compiler's stack probes do, too) would cost a forked child a page fault each.
void GrowStack() noexcept {
  static uintptr_t reached = UINTPTR_MAX;
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (here - kStackNeeded >= reached) return;
  reached = here - kStackRoom;
  TouchStack();
}

/**
 * uv_loop_fork(), which makes every descriptor of the loop anew, so that the new loop calls epoll_ctl itself. libuv would batch these
 * calls through an io_uring whose io_uring_enter no filter of ours allows, and no option of its own turns that off; but it falls
 * back when it cannot map the ring. So mappings are refused for the moment, by RLIMIT_AS: unlike a filter that answers
 * ENOSYS to io_uring_setup, this leaves nothing behind that a user's shell would inherit.
 */
void RemakeLoop(Napi::Env env) {
  uv_loop_t *loop = LoopOf(env);
  GrowStack();
  // Room in malloc's arena: libuv aborts when its table of watchers cannot grow.
  free(malloc(65536));
  rlimit before{};
  if (getrlimit(RLIMIT_AS, &before) < 0) Throw(env, errno, "getrlimit");
  const rlimit none{0, before.rlim_max};
  if (setrlimit(RLIMIT_AS, &none) < 0) Throw(env, errno, "setrlimit");
  const int remade = uv_loop_fork(loop);
  // Lowering and raising a soft limit cannot fail.
  if (setrlimit(RLIMIT_AS, &before) < 0) abort();
  if (remade < 0) Throw(env, -remade, "uv_loop_fork");
}

Napi::Value ForkHere(const Napi::CallbackInfo &info) {
  const bool newPidNamespace = Bool(info, 0, "newPidNamespace");
  const Status threads = CheckThreadsForFork();
  if (!threads.ok()) Throw(info.Env(), threads.error, threads.call, "with other threads alive");
  Check(info.Env(), MakeHeapForkable());
  GrowStack(); // for the child
  const auto pid = Fork(newPidNamespace);
  Check(info.Env(), pid);
  if (pid.value == 0) RemakeLoop(info.Env());
  return Napi::Number::New(info.Env(), pid.value);
}

void RemakeLoopHere(const Napi::CallbackInfo &info) { RemakeLoop(info.Env()); }

/// What is due now, and nothing else. Only where no turn of the loop is under way: uv_run() cannot be entered twice.
void TurnLoop(const Napi::CallbackInfo &info) { uv_run(LoopOf(info.Env()), UV_RUN_NOWAIT); }

/// The loop's own: its fields are public in uv.h, so that a new libuv is a compile error here and not a surprise.
Napi::Value LoopFds(const Napi::CallbackInfo &info) {
  const uv_loop_t *loop = LoopOf(info.Env());
  std::vector<int> fds;
  for (const int fd : {loop->backend_fd, loop->async_io_watcher.fd, loop->async_wfd, loop->signal_pipefd[0],
                       loop->signal_pipefd[1]}) {
    if (fd >= 0) fds.push_back(fd);
  }
  return Numbers(info.Env(), fds);
}

Napi::Value Generation(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), ForkGeneration());
}

} // namespace

void AddLoop(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "fork", ForkHere);
  Add(env, exports, "remakeLoop", RemakeLoopHere);
  Add(env, exports, "turnLoop", TurnLoop);
  Add(env, exports, "loopFds", LoopFds);
  Add(env, exports, "forkGeneration", Generation);
}

} // namespace sallyport::bind
