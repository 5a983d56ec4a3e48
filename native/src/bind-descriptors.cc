#include "bind.h"
#include "descriptors.h"
#include "kernel-log.h"

namespace sallyport::bind {
namespace {

Napi::Value ReadInto(const Napi::CallbackInfo &info) {
  const Span into = Slice(info, 1);
  const auto got = Read(Fd(info, 0), into.data, into.length);
  Check(info.Env(), got);
  return Napi::Number::New(info.Env(), static_cast<double>(got.value));
}

Napi::Value WriteFrom(const Napi::CallbackInfo &info) {
  const Span from = Slice(info, 1);
  const auto put = Write(Fd(info, 0), from.data, from.length);
  Check(info.Env(), put);
  return Napi::Number::New(info.Env(), static_cast<double>(put.value));
}

void CloseFd(const Napi::CallbackInfo &info) { Check(info.Env(), Close(Fd(info, 0))); }

Napi::Value DupFd(const Napi::CallbackInfo &info) {
  const auto copy = Duplicate(Fd(info, 0));
  Check(info.Env(), copy);
  return Napi::Number::New(info.Env(), copy.value);
}

void NonBlocking(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetNonBlocking(Fd(info, 0), Bool(info, 1, "on")));
}
void CloseOnExec(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetCloseOnExec(Fd(info, 0), Bool(info, 1, "on")));
}

Napi::Value MakePipe(const Napi::CallbackInfo &info) {
  const auto ends = Pipe();
  Check(info.Env(), ends);
  return Numbers(info.Env(), {ends.value.first, ends.value.second});
}

Napi::Value GrowOnePipe(const Napi::CallbackInfo &info) {
  return Napi::Boolean::New(info.Env(), GrowPipe(Fd(info, 0), Int(info, 1, "bytes", 0)));
}

Napi::Value OpenFd(const Napi::CallbackInfo &info) {
  const std::string path = String(info[0], "path");
  const auto fd = Open(path.c_str(), Int(info, 1, "flags"), static_cast<mode_t>(Int(info, 2, "mode", 0, 07777)));
  if (!fd.ok()) Throw(info.Env(), fd.error, fd.call, "'" + path + "'");
  return Napi::Number::New(info.Env(), fd.value);
}

Napi::Value MakeMemfd(const Napi::CallbackInfo &info) {
  const std::string name = String(info[0], "name");
  const Span content = View(info[1], "content");
  const auto fd = MemoryFile(name.c_str(), content.data, content.length);
  Check(info.Env(), fd);
  return Napi::Number::New(info.Env(), fd.value);
}

void CloseOthers(const Napi::CallbackInfo &info) {
  Check(info.Env(), CloseAllExcept(Fds(info[0], "keep")));
}

Napi::Value ListFds(const Napi::CallbackInfo &info) {
  const auto fds = OpenDescriptors();
  Check(info.Env(), fds);
  return Numbers(info.Env(), fds.value);
}

Napi::Value IsTerminal(const Napi::CallbackInfo &info) {
  return Napi::Boolean::New(info.Env(), isatty(Fd(info, 0)) == 1);
}

Napi::Value Opened(const Napi::CallbackInfo &info, const Result<int> &fd) {
  Check(info.Env(), fd);
  return Napi::Number::New(info.Env(), fd.value);
}
Napi::Value AuditLog(const Napi::CallbackInfo &info) { return Opened(info, OpenAuditLog()); }
Napi::Value KernelMessages(const Napi::CallbackInfo &info) { return Opened(info, OpenKernelMessages()); }

} // namespace

void AddDescriptors(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "read", ReadInto);
  Add(env, exports, "write", WriteFrom);
  Add(env, exports, "closeFd", CloseFd);
  Add(env, exports, "dupFd", DupFd);
  Add(env, exports, "setNonBlocking", NonBlocking);
  Add(env, exports, "setCloseOnExec", CloseOnExec);
  Add(env, exports, "pipe", MakePipe);
  Add(env, exports, "growPipe", GrowOnePipe);
  Add(env, exports, "openFd", OpenFd);
  Add(env, exports, "memfd", MakeMemfd);
  Add(env, exports, "closeAllExcept", CloseOthers);
  Add(env, exports, "openFds", ListFds);
  Add(env, exports, "isatty", IsTerminal);
  Add(env, exports, "openAuditLog", AuditLog);
  Add(env, exports, "openKernelMessages", KernelMessages);
}

} // namespace sallyport::bind
