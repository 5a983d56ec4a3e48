#include "bind.h"
namespace sallyport::bind {
void AddPacketCipher(Napi::Env, Napi::Object &) {}
} // namespace sallyport::bind
