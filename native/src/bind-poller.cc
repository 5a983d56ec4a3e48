// The uv_poll_t that watches a Poller's epoll descriptor, and the one JavaScript call a batch.
#include <cstring>
#include <memory>

#include <uv.h>

#include "bind.h"
#include "poller.h"

namespace sallyport::bind {
namespace {

/// Lives until its handle is closed: libuv must not find it freed.
struct Watch {
  uv_poll_t handle{};
  Poller poller;
  Napi::Env env;
  Napi::FunctionReference onBatch;
  Napi::Reference<Napi::Int32Array> events;

  explicit Watch(Napi::Env owner) : env(owner) {}
};

void Deliver(Watch &watch) {
  std::array<Poller::Event, Poller::kBatch> ready;
  const auto count = watch.poller.Collect(ready);
  Check(watch.env, count);
  if (count.value == 0) return;
  Napi::Int32Array events = watch.events.Value();
  static_assert(sizeof(Poller::Event) == 2 * sizeof(int32_t));
  memcpy(events.Data(), ready.data(), static_cast<size_t>(count.value) * sizeof(Poller::Event));
  watch.onBatch.MakeCallback(watch.env.Global(), {events, Napi::Number::New(watch.env, count.value)});
}

void OnReadable(uv_poll_t *handle, int status, int) {
  Watch &watch = *static_cast<Watch *>(handle->data);
  const Napi::HandleScope scope(watch.env);
  try {
    if (status < 0) Throw(watch.env, -status, "uv_poll");
    Deliver(watch);
  } catch (const Napi::Error &error) {
    // As if thrown from any other callback of the loop: 'uncaughtException'.
    napi_fatal_exception(watch.env, error.Value());
  }
}

void SetReferenced(Watch &watch) {
  auto *handle = reinterpret_cast<uv_handle_t *>(&watch.handle);
  if (watch.poller.Watched() > 0) uv_ref(handle);
  else uv_unref(handle);
}

class RawPoller : public Napi::ObjectWrap<RawPoller> {
public:
  explicit RawPoller(const Napi::CallbackInfo &info) : ObjectWrap(info) {
    if (!info[0].IsFunction()) throw Napi::TypeError::New(info.Env(), "onBatch must be a function");
    auto watch = std::make_unique<Watch>(info.Env());
    Check(info.Env(), watch->poller.Make());
    uv_loop_t *loop = nullptr;
    napi_get_uv_event_loop(info.Env(), &loop);
    const int made = uv_poll_init(loop, &watch->handle, watch->poller.Fd());
    if (made < 0) Throw(info.Env(), -made, "uv_poll_init");
    watch_ = watch.release(); // from here on Release() frees it
    watch_->handle.data = watch_;
    watch_->onBatch = Napi::Persistent(info[0].As<Napi::Function>());
    watch_->events = Napi::Persistent(Napi::Int32Array::New(info.Env(), 2 * Poller::kBatch));
    uv_poll_start(&watch_->handle, UV_READABLE, OnReadable);
    SetReferenced(*watch_);
  }
  ~RawPoller() override { Release(); }

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "RawPoller",
                       {InstanceMethod<&RawPoller::Set>("set"), InstanceMethod<&RawPoller::Remove>("remove"),
                        InstanceMethod<&RawPoller::Close>("close")});
  }

private:
  Watch &Open(Napi::Env env) {
    if (watch_ == nullptr) throw Napi::Error::New(env, "Cannot use poller: it is closed");
    return *watch_;
  }
  void Set(const Napi::CallbackInfo &info) {
    Watch &watch = Open(info.Env());
    const int fd = Fd(info, 0);
    const Status set = watch.poller.Set(fd, Int(info, 1, "events", 0, 3), Bool(info, 2, "isNew"));
    if (!set.ok()) Throw(info.Env(), set.error, set.call, "descriptor " + std::to_string(fd));
    SetReferenced(watch);
  }
  void Remove(const Napi::CallbackInfo &info) {
    Watch &watch = Open(info.Env());
    const int fd = Fd(info, 0);
    const Status removed = watch.poller.Remove(fd);
    SetReferenced(watch);
    if (!removed.ok()) Throw(info.Env(), removed.error, removed.call, "descriptor " + std::to_string(fd));
  }
  void Close(const Napi::CallbackInfo &) { Release(); }

  void Release() noexcept {
    if (watch_ == nullptr) return;
    Watch *watch = std::exchange(watch_, nullptr);
    watch->onBatch.Reset();
    watch->events.Reset();
    uv_close(reinterpret_cast<uv_handle_t *>(&watch->handle), [](uv_handle_t *handle) {
      const std::unique_ptr<Watch> owned(static_cast<Watch *>(handle->data));
    });
  }

  Watch *watch_ = nullptr;
};

} // namespace

void AddPoller(Napi::Env env, Napi::Object &exports) {
  auto constructor = std::make_shared<Napi::FunctionReference>(Napi::Persistent(RawPoller::Define(env)));
  Add(env, exports, "createPoller", [constructor](const Napi::CallbackInfo &info) -> Napi::Value {
    return constructor->New({info[0]});
  });
}

} // namespace sallyport::bind
