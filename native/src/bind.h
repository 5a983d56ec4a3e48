// What the binding files share: checking arguments, and turning a failure into an Error.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <napi.h>

#include "result.h"

namespace sallyport::bind {

/// An Error with `code` ("EBADF"), `errno` (negative, as Node has it) and `syscall`; `detail` goes into the text.
[[noreturn]] void Throw(Napi::Env env, int error, const char *call, const std::string &detail = "");
template <typename T> void Check(Napi::Env env, const Result<T> &result) {
  if (!result.ok()) Throw(env, result.error, result.call);
}

/// An integer argument in [low, high], or a TypeError / RangeError that names it.
int64_t Integer(const Napi::Value &value, const char *name, int64_t low, int64_t high);
int Int(const Napi::CallbackInfo &info, size_t index, const char *name, int low = INT32_MIN,
        int high = INT32_MAX);
inline int Fd(const Napi::CallbackInfo &info, size_t index, const char *name = "fd") {
  return Int(info, index, name, 0);
}
/// A uid or gid: 0 to 2^32 - 2, since -1 means "unchanged" to the kernel.
uint32_t Id(const Napi::Value &value, const char *name);
bool Bool(const Napi::CallbackInfo &info, size_t index, const char *name);
/// Without NUL bytes, or a TypeError.
std::string String(const Napi::Value &value, const char *name);
/// A string or a Uint8Array, without NUL bytes.
std::string Bytes(const Napi::Value &value, const char *name);
uint64_t Big(const Napi::Value &value, const char *name);
std::vector<int> Fds(const Napi::Value &value, const char *name);
std::vector<uint32_t> Ids(const Napi::Value &value, const char *name);

struct Span {
  uint8_t *data;
  size_t length;
};
/// The memory of a Uint8Array, valid until JavaScript runs again.
Span View(const Napi::Value &value, const char *name);
/// `buffer[offset, offset + length)`, three arguments from `index` on; RangeError when it is out of bounds.
Span Slice(const Napi::CallbackInfo &info, size_t index);

Napi::Array Numbers(Napi::Env env, const std::vector<int> &values);

void AddDescriptors(Napi::Env env, Napi::Object &exports);
void AddSockets(Napi::Env env, Napi::Object &exports);
void AddPoller(Napi::Env env, Napi::Object &exports);
void AddLoop(Napi::Env env, Napi::Object &exports);
void AddProcess(Napi::Env env, Napi::Object &exports);
void AddPrefault(Napi::Env env, Napi::Object &exports);
void AddUsers(Napi::Env env, Napi::Object &exports);
void AddPty(Napi::Env env, Napi::Object &exports);
void AddConfine(Napi::Env env, Napi::Object &exports);
void AddThreads(Napi::Env env, Napi::Object &exports);
void AddPacketCipher(Napi::Env env, Napi::Object &exports);

template <typename Function>
void Add(Napi::Env env, Napi::Object &exports, const char *name, Function function) {
  exports.Set(name, Napi::Function::New(env, function, name));
}

} // namespace sallyport::bind
