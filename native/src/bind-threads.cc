#include <cstring>
#include <memory>

#include <uv.h>

#include "bind.h"
#include "confine.h"
#include "thread-handshake.h"
#include "thread-list.h"
#include "thread-lock.h"

namespace sallyport::bind {
namespace {

/// Far above what a thread needs to come out of any interruptible call on a busy machine.
constexpr int kHandshakeMs = 5000;

std::string Describe(pid_t tid) {
  return "thread " + std::to_string(tid) + " (" + NameOfThread(tid).data() + ")";
}

[[noreturn]] void ThrowCode(Napi::Env env, const char *code, const std::string &text) {
  Napi::Error failure = Napi::Error::New(env, text);
  failure.Set("code", Napi::String::New(env, code));
  throw failure;
}

void Handshake(Napi::Env env, const ThreadOperation &operation) {
  const HandshakeOutcome outcome = RunOnEveryThread(operation, kHandshakeMs);
  if (outcome.error == 0) return;
  const char *state = outcome.unchanged ? ": no thread was changed" : ": threads differ now, end this process";
  const char *what = outcome.error == ETIMEDOUT ? " did not answer" : " refused";
  Throw(env, outcome.error, outcome.call, Describe(outcome.tid) + what + state);
}

/// Copied, because a Uint8Array need not be aligned.
std::vector<uint64_t> Program(const Napi::Value &value) {
  const Span bytes = View(value, "program");
  if (bytes.length == 0 || bytes.length % sizeof(uint64_t) != 0)
    throw Napi::RangeError::New(value.Env(), "program must be whole instructions of 8 bytes");
  std::vector<uint64_t> program(bytes.length / sizeof(uint64_t));
  memcpy(program.data(), bytes.data, bytes.length);
  return program;
}

void HandshakeOperation(const Napi::CallbackInfo &info) {
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "operation must be an object");
  const Napi::Object wanted = info[0].As<Napi::Object>();
  const std::string name = String(wanted.Get("operation"), "operation");
  ThreadOperation operation;
  std::vector<uint64_t> program;
  using Kind = ThreadOperation::Kind;
  if (name == "noNewPrivs") {
    operation.kind = Kind::NoNewPrivs;
  } else if (name == "seccomp") {
    operation.kind = Kind::Seccomp;
    program = Program(wanted.Get("program"));
    operation.program = program.data();
    operation.instructions = program.size();
  } else if (name == "capabilities") {
    operation.kind = Kind::Capabilities;
    operation.permitted = Big(wanted.Get("permitted"), "permitted");
    operation.bounding = Big(wanted.Get("bounding"), "bounding");
  } else if (name == "securebits") {
    operation.kind = Kind::Securebits;
    operation.bits = static_cast<unsigned long>(Integer(wanted.Get("bits"), "bits", 0, INT32_MAX));
  } else if (name == "landlock") {
    operation.kind = Kind::Landlock;
    operation.ruleset = static_cast<int>(Integer(wanted.Get("rulesetFd"), "rulesetFd", 0, INT32_MAX));
  } else {
    throw Napi::TypeError::New(info.Env(), "Unknown thread operation: '" + name + "'");
  }
  Handshake(info.Env(), operation);
}

void NoNewPrivs(const Napi::CallbackInfo &info) { Handshake(info.Env(), ThreadOperation{}); }

void Filter(const Napi::CallbackInfo &info) {
  const std::vector<uint64_t> program = Program(info[0]);
  const auto set = SetSeccompFilterOnAll(program.data(), program.size());
  Check(info.Env(), set);
  if (set.value != 0)
    Throw(info.Env(), EBUSY, "seccomp", Describe(set.value) + " has a filter of its own: no thread was changed");
}

/// Throws unless every thread is the main one or one of the runtime's own.
std::vector<ThreadStatus> Census(Napi::Env env) {
  auto threads = ReadThreads();
  Check(env, threads);
  for (const ThreadStatus &thread : threads.value) {
    const std::string which = "thread " + std::to_string(thread.tid) + " (" + thread.name + ")";
    if (thread.kind == ThreadKind::Worker)
      ThrowCode(env, "ERR_USER_THREADS", "Cannot lock threads: " + which + " runs JavaScript of its own");
    if (thread.kind == ThreadKind::Other)
      ThrowCode(env, "ERR_THREADS_NOT_LOCKED", "Cannot lock threads: " + which + " is none that the runtime starts");
  }
  return std::move(threads.value);
}

/// libuv starts its whole pool, and waits until every thread of it runs, when the first work is queued.
void StartPool(Napi::Env env) {
  uv_loop_t *loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  auto request = std::make_unique<uv_work_t>();
  const int queued = uv_queue_work(loop, request.get(), [](uv_work_t *) {},
                                   [](uv_work_t *done, int) { std::unique_ptr<uv_work_t>(done).reset(); });
  if (queued < 0) Throw(env, -queued, "uv_queue_work");
  [[maybe_unused]] const uv_work_t *owned = request.release(); // the callback's now
}

void Lock(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  std::vector<ThreadStatus> threads = Census(env);
  StartPool(env);
  for (const ThreadStatus &thread : threads) {
    if (thread.kind == ThreadKind::Signal) Check(env, IgnoreInspectorSignal());
  }
  auto forbidden = ForbidNewThreads();
  if (forbidden.error == EACCES) {
    Handshake(env, ThreadOperation{});
    forbidden = ForbidNewThreads();
  }
  Check(env, forbidden);
  if (forbidden.value != 0)
    ThrowCode(env, "ERR_THREADS_NOT_LOCKED", "Cannot lock threads: " + Describe(forbidden.value) + " has a filter of its own");
  threads = Census(env);
  size_t pool = 0;
  for (const ThreadStatus &thread : threads) pool += thread.kind == ThreadKind::Pool ? 1 : 0;
  if (pool != PoolSize())
    ThrowCode(env, "ERR_THREADS_NOT_LOCKED", "Cannot lock threads: libuv's pool has " + std::to_string(pool) +
                                                 " threads (libuv-worker), not " + std::to_string(PoolSize()));
}

Napi::Value Report(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const auto threads = ReadThreads();
  Check(env, threads);
  Napi::Array report = Napi::Array::New(env, threads.value.size());
  for (uint32_t i = 0; i < threads.value.size(); i += 1) {
    const ThreadStatus &thread = threads.value[i];
    Napi::Object capabilities = Napi::Object::New(env);
    capabilities.Set("effective", Napi::BigInt::New(env, thread.effective));
    capabilities.Set("permitted", Napi::BigInt::New(env, thread.permitted));
    capabilities.Set("inheritable", Napi::BigInt::New(env, thread.inheritable));
    capabilities.Set("bounding", Napi::BigInt::New(env, thread.bounding));
    capabilities.Set("ambient", Napi::BigInt::New(env, thread.ambient));
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("tid", Napi::Number::New(env, thread.tid));
    entry.Set("name", Napi::String::New(env, thread.name));
    entry.Set("kind", Napi::String::New(env, KindName(thread.kind)));
    entry.Set("noNewPrivs", Napi::Boolean::New(env, thread.noNewPrivs));
    entry.Set("seccomp", Napi::Number::New(env, thread.seccomp));
    entry.Set("seccompFilters", Napi::Number::New(env, thread.seccompFilters));
    entry.Set("capabilities", capabilities);
    report[i] = entry;
  }
  return report;
}

} // namespace

void AddThreads(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "lockRuntimeThreads", Lock);
  Add(env, exports, "runtimeThreadsHandshake", HandshakeOperation);
  Add(env, exports, "setNoNewPrivs", NoNewPrivs);
  Add(env, exports, "installSeccompFilter", Filter);
  Add(env, exports, "threadReport", Report);
}

} // namespace sallyport::bind
