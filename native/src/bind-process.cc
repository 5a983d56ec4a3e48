#include <csignal>
#include <cmath>
#include <limits>
#include <sys/resource.h>

#include "bind.h"
#include "process.h"
#include "spawn.h"

namespace sallyport::bind {
namespace {

void ExitNow(const Napi::CallbackInfo &info) { _exit(Int(info, 0, "status", 0, 255)); }

Napi::Value Wait(const Napi::CallbackInfo &info) {
  const auto ended = WaitPid(Int(info, 0, "pid", -1), Bool(info, 1, "noHang"));
  Check(info.Env(), ended);
  if (ended.value.pid == 0) return info.Env().Null();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("pid", Napi::Number::New(info.Env(), ended.value.pid));
  object.Set(ended.value.exited ? "status" : "signal", Napi::Number::New(info.Env(), ended.value.status));
  object.Set("coreDumped", Napi::Boolean::New(info.Env(), ended.value.coreDumped));
  object.Set("cpuUs", Napi::Number::New(info.Env(), static_cast<double>(ended.value.cpuUs)));
  return object;
}

Napi::Value KillPid(const Napi::CallbackInfo &info) {
  // kill(2) reads 0 and -1 as "everybody": a pid that was never set must not do that. Other negatives are process groups.
  const int pid = Int(info, 0, "pid");
  if (pid == 0 || pid == -1) throw Napi::RangeError::New(info.Env(), "pid must not be 0 or -1");
  const auto sent = Kill(pid, Int(info, 1, "signal", 0, 64));
  Check(info.Env(), sent);
  return Napi::Boolean::New(info.Env(), sent.value);
}

Napi::Value CurrentPid(const Napi::CallbackInfo &info) { return Napi::Number::New(info.Env(), getpid()); }
Napi::Value ParentPid(const Napi::CallbackInfo &info) { return Napi::Number::New(info.Env(), getppid()); }

Napi::Value PidFd(const Napi::CallbackInfo &info) {
  const auto fd = OpenPidFd(Int(info, 0, "pid", 1));
  Check(info.Env(), fd);
  return Napi::Number::New(info.Env(), fd.value);
}

Napi::Value SignalPidFd(const Napi::CallbackInfo &info) {
  const auto sent = SignalByPidFd(Fd(info, 0, "pidFd"), Int(info, 1, "signal", 0, 64));
  Check(info.Env(), sent);
  return Napi::Boolean::New(info.Env(), sent.value);
}

Napi::Value Poll(const Napi::CallbackInfo &info) {
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_int32_array)
    throw Napi::TypeError::New(info.Env(), "fds must be an Int32Array");
  const Napi::Int32Array fds = info[0].As<Napi::Int32Array>();
  std::vector<pollfd> polled;
  for (size_t i = 0; i < fds.ElementLength(); i += 1) polled.push_back({fds[i], POLLIN, 0});
  Check(info.Env(), WaitReadable(polled, Int(info, 1, "timeoutMs", -1)));
  std::vector<int> ready;
  for (const pollfd &one : polled) {
    if (one.revents != 0) ready.push_back(one.fd);
  }
  return Numbers(info.Env(), ready);
}

uint64_t Limit(const Napi::Value &value, const char *name) {
  if (value.IsNumber() && std::isinf(value.As<Napi::Number>().DoubleValue()) &&
      value.As<Napi::Number>().DoubleValue() > 0)
    return RLIM64_INFINITY;
  return static_cast<uint64_t>(Integer(value, name, 0, (1LL << 53) - 1));
}

void LimitOther(const Napi::CallbackInfo &info) {
  const LimitOf target{Int(info, 0, "pid", 1), Id(info[1], "uid"), Id(info[2], "gid")};
  Check(info.Env(), SetLimitOf(target, Int(info, 3, "resource", 0), Limit(info[4], "soft"), Limit(info[5], "hard")));
}

void Limits(const Napi::CallbackInfo &info) {
  const rlimit limit{Limit(info[1], "soft"), Limit(info[2], "hard")};
  if (setrlimit(static_cast<__rlimit_resource>(Int(info, 0, "resource", 0)), &limit) < 0)
    Throw(info.Env(), errno, "setrlimit");
}

void NewSession(const Napi::CallbackInfo &info) {
  if (setsid() < 0) Throw(info.Env(), errno, "setsid");
}

std::vector<std::string> Texts(const Napi::Value &value, const char *name) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be an array");
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < array.Length(); i += 1) texts.push_back(Bytes(array[i], name));
  return texts;
}

bool Flag(const Napi::Object &options, const char *name) {
  const Napi::Value value = options.Get(name);
  if (value.IsUndefined()) return false;
  if (!value.IsBoolean()) throw Napi::TypeError::New(options.Env(), std::string(name) + " must be a boolean");
  return value.As<Napi::Boolean>();
}

SpawnPlan PlanOf(const Napi::Object &options) {
  SpawnPlan plan;
  plan.file = String(options.Get("file"), "file");
  plan.argv = Texts(options.Get("argv"), "argv");
  plan.env = Texts(options.Get("env"), "env");
  plan.fds = Fds(options.Get("fds"), "fds");
  plan.newSession = Flag(options, "setsid");
  plan.controllingTerminal = Flag(options, "controllingTerminal");
  if (plan.argv.empty()) throw Napi::RangeError::New(options.Env(), "argv must not be empty");
  if (const Napi::Value cwd = options.Get("cwd"); !cwd.IsUndefined()) plan.cwd = Bytes(cwd, "cwd");
  if (const Napi::Value mask = options.Get("umask"); !mask.IsUndefined())
    plan.mask = static_cast<mode_t>(Integer(mask, "umask", 0, 0777));
  if (const Napi::Value value = options.Get("identity"); !value.IsUndefined()) {
    if (!value.IsObject()) throw Napi::TypeError::New(options.Env(), "identity must be an object");
    const Napi::Object identity = value.As<Napi::Object>();
    plan.identity = Identity{Id(identity.Get("uid"), "uid"), Id(identity.Get("gid"), "gid"),
                             Ids(identity.Get("groups"), "groups")};
  }
  return plan;
}

Napi::Value SpawnOne(const Napi::CallbackInfo &info) {
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "options must be an object");
  const SpawnPlan plan = PlanOf(info[0].As<Napi::Object>());
  const auto pid = Spawn(plan);
  if (!pid.ok()) Throw(info.Env(), pid.error, pid.call, "for '" + plan.file + "'");
  return Napi::Number::New(info.Env(), pid.value);
}

} // namespace

void AddProcess(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "exitNow", ExitNow);
  Add(env, exports, "waitPid", Wait);
  Add(env, exports, "killPid", KillPid);
  Add(env, exports, "currentPid", CurrentPid);
  Add(env, exports, "parentPid", ParentPid);
  Add(env, exports, "openPidFd", PidFd);
  Add(env, exports, "signalByPidFd", SignalPidFd);
  Add(env, exports, "waitReadable", Poll);
  Add(env, exports, "prlimit", LimitOther);
  Add(env, exports, "setRlimit", Limits);
  Add(env, exports, "setsid", NewSession);
  Add(env, exports, "spawn", SpawnOne);
  const TitleArea area = FindTitleArea();
  Add(env, exports, "setTitle", [area](const Napi::CallbackInfo &info) {
    SetTitle(area, String(info[0], "title"), info[1].ToBoolean().Value());
  });
}

} // namespace sallyport::bind
