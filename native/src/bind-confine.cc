#include <cstring>

#include "bind.h"
#include "confine.h"
#include "identity.h"
#include "namespaces.h"
#include "violation-report.h"

namespace sallyport::bind {
namespace {

Napi::Value Namespaces(const Napi::CallbackInfo &info) {
  const auto made = MakeNamespaces();
  Check(info.Env(), made);
  Napi::Object fds = Napi::Object::New(info.Env());
  Napi::Object missing = Napi::Object::New(info.Env());
  for (const Namespace &one : made.value) {
    if (one.error == 0) fds.Set(one.name, Napi::Number::New(info.Env(), one.fd));
    else missing.Set(one.name, Napi::String::New(info.Env(), strerrorname_np(one.error)));
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("fds", fds);
  result.Set("missing", missing);
  return result;
}

void Join(const Napi::CallbackInfo &info) { Check(info.Env(), JoinNamespace(Fd(info, 0))); }

void Chroot(const Napi::CallbackInfo &info) {
  const std::string path = String(info[0], "path");
  const Status done = ChrootTo(path.c_str());
  if (!done.ok()) Throw(info.Env(), done.error, done.call, "'" + path + "'");
}

void ChangeIds(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetIds(Id(info[0], "uid"), Id(info[1], "gid"), Ids(info[2], "groups")));
}

Napi::Value AsUser(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const uint32_t uid = Id(info[0], "uid"), gid = Id(info[1], "gid");
  const std::vector<uint32_t> groups = Ids(info[2], "groups");
  if (!info[3].IsFunction()) throw Napi::TypeError::New(env, "action must be a function");
  EffectiveUser user; // restored when this scope ends, by return or by exception
  Check(env, user.Become(uid, gid, groups));
  const Napi::Value result = info[3].As<Napi::Function>().Call({});
  // It would go on after the identity has changed back.
  if (result.IsPromise()) throw Napi::TypeError::New(env, "action must be synchronous");
  return result;
}

void Capabilities(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetCapabilities(Big(info[0], "permitted"), Big(info[1], "bounding")));
}
void Securebits(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetSecurebits(static_cast<unsigned long>(Int(info, 0, "bits", 0))));
}
void Dumpable(const Napi::CallbackInfo &info) { Check(info.Env(), SetDumpable(Bool(info, 0, "on"))); }
void DeathSignal(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetParentDeathSignal(Int(info, 0, "signal", 0, 64)));
}
void Mdwe(const Napi::CallbackInfo &info) { Check(info.Env(), SetMdwe()); }

void Violations(const Napi::CallbackInfo &info) { Check(info.Env(), ReportViolations(Fd(info, 0))); }

Napi::Value Abi(const Napi::CallbackInfo &info) { return Napi::Number::New(info.Env(), LandlockAbi()); }

Napi::Value Ruleset(const Napi::CallbackInfo &info) {
  const auto fd = LandlockRuleset(Big(info[0], "handledFs"), Big(info[1], "handledNet"), Big(info[2], "scoped"));
  Check(info.Env(), fd);
  return Napi::Number::New(info.Env(), fd.value);
}

void AllowPath(const Napi::CallbackInfo &info) {
  const std::string path = String(info[1], "path");
  const Status done = LandlockAllowPath(Fd(info, 0, "rulesetFd"), path.c_str(), Big(info[2], "access"));
  if (!done.ok()) Throw(info.Env(), done.error, done.call, "'" + path + "'");
}

void Restrict(const Napi::CallbackInfo &info) {
  const UniqueFd ruleset(Fd(info, 0, "rulesetFd"));
  Check(info.Env(), LandlockRestrict(ruleset.Get()));
}

} // namespace

void AddConfine(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "makeNamespaces", Namespaces);
  Add(env, exports, "joinNamespace", Join);
  Add(env, exports, "chrootTo", Chroot);
  Add(env, exports, "setIds", ChangeIds);
  Add(env, exports, "asUser", AsUser);
  Add(env, exports, "setCapabilities", Capabilities);
  Add(env, exports, "setSecurebits", Securebits);
  Add(env, exports, "setDumpable", Dumpable);
  Add(env, exports, "setParentDeathSignal", DeathSignal);
  Add(env, exports, "setMdwe", Mdwe);
  Add(env, exports, "reportViolations", Violations);
  Add(env, exports, "landlockAbi", Abi);
  Add(env, exports, "landlockRuleset", Ruleset);
  Add(env, exports, "landlockAllowPath", AllowPath);
  Add(env, exports, "landlockRestrict", Restrict);
}

} // namespace sallyport::bind
