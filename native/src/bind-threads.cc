#include "bind.h"
#include "confine.h"
#include "thread-list.h"

namespace sallyport::bind {
namespace {

void NoNewPrivs(const Napi::CallbackInfo &info) { Check(info.Env(), SetNoNewPrivs()); }

void Filter(const Napi::CallbackInfo &info) {
  const Span program = View(info[0], "program");
  const auto set = SetSeccompFilterOnAll(program.data, program.length);
  Check(info.Env(), set);
  if (set.value != 0)
    Throw(info.Env(), EBUSY, "seccomp",
          "thread " + std::to_string(set.value) + " (" + NameOfThread(set.value).data() + ") has another filter");
}

} // namespace

void AddThreads(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "setNoNewPrivs", NoNewPrivs);
  Add(env, exports, "installSeccompFilter", Filter);
}

} // namespace sallyport::bind
