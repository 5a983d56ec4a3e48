#include "bind.h"

namespace sallyport::bind {

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  AddDescriptors(env, exports);
  AddSockets(env, exports);
  AddPoller(env, exports);
  AddLoop(env, exports);
  AddProcess(env, exports);
  AddPrefault(env, exports);
  AddUsers(env, exports);
  AddPty(env, exports);
  AddConfine(env, exports);
  AddThreads(env, exports);
  AddPacketCipher(env, exports);
  return exports;
}

NODE_API_MODULE(sallyport, Init)

} // namespace sallyport::bind
