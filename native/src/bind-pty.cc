#include <algorithm>

#include "bind.h"
#include "pty.h"

namespace sallyport::bind {
namespace {

Napi::Value Open(const Napi::CallbackInfo &info) {
  const auto pty = OpenPty();
  Check(info.Env(), pty);
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("masterFd", Napi::Number::New(info.Env(), pty.value.master));
  object.Set("slaveFd", Napi::Number::New(info.Env(), pty.value.slave));
  object.Set("name", Napi::String::New(info.Env(), pty.value.name.data()));
  return object;
}

/// A client says 32 bits, the kernel keeps 16.
uint16_t Clamped(const Napi::CallbackInfo &info, size_t index, const char *name) {
  return static_cast<uint16_t>(std::min<int64_t>(Integer(info[index], name, 0, 0xffffffffLL), 0xffff));
}

void WindowSize(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetWindowSize(Fd(info, 0), Clamped(info, 1, "columns"), Clamped(info, 2, "rows"),
                                  Clamped(info, 3, "widthPixels"), Clamped(info, 4, "heightPixels")));
}

void Modes(const Napi::CallbackInfo &info) {
  const Span modes = View(info[1], "modes");
  Check(info.Env(), SetTerminalModes(Fd(info, 0), modes.data, modes.length));
}

Napi::Value Foreground(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), ForegroundGroup(Fd(info, 0)));
}

} // namespace

void AddPty(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "openPty", Open);
  Add(env, exports, "setWindowSize", WindowSize);
  Add(env, exports, "setTerminalModes", Modes);
  Add(env, exports, "foregroundGroup", Foreground);
}

} // namespace sallyport::bind
