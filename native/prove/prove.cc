// What a taken-over process could do: system calls by number through any entry of the kernel, memory written and run. Loaded by `sallyport
// sandbox prove` alone, in processes that it forked for the purpose; the server has no use for it and never loads it.
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <napi.h>

namespace {

using Words = std::array<uint64_t, 6>;

// A page of code of its own, so that taking execution away from it takes it from nothing else: it returns 1.
extern "C" const char sallyportVictimPage[];
asm(".pushsection .text\n.balign 4096\n.globl sallyportVictimPage\n.hidden sallyportVictimPage\n"
    "sallyportVictimPage:\n  mov $1, %eax\n  ret\n.balign 4096\n.popsection\n");

uint64_t Big(const Napi::Value &value) {
  bool lossless = false;
  if (!value.IsBigInt()) throw Napi::TypeError::New(value.Env(), "argument must be a bigint");
  return value.As<Napi::BigInt>().Uint64Value(&lossless);
}

Words Arguments(const Napi::CallbackInfo &info) {
  Words words{};
  for (size_t i = 0; i < words.size() && i + 1 < info.Length(); i += 1) words[i] = Big(info[i + 1]);
  return words;
}

/// The whole register goes to the kernel as the number, the bits above 32 included. Returns what the kernel does: -errno, not errno.
uint64_t Enter64(uint64_t number, const Words &a) noexcept {
  register uint64_t r10 asm("r10") = a[3];
  register uint64_t r8 asm("r8") = a[4];
  register uint64_t r9 asm("r9") = a[5];
  uint64_t answer = number;
  asm volatile("syscall"
               : "+a"(answer)
               : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return answer;
}

/// The i386 table, by its old gate. Addresses must lie below 4 GiB.
uint64_t Enter32(uint64_t number, const Words &a) noexcept {
  uint64_t answer = number;
  register uint64_t first asm("r13") = a[0];
  // rbx may be the compiler's own, and a push would write over a leaf function's red zone.
  asm volatile("mov %%rbx, %%r12\n mov %1, %%rbx\n int $0x80\n mov %%r12, %%rbx"
               : "+a"(answer)
               : "r"(first), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
               : "r8", "r9", "r10", "r11", "r12", "memory");
  return answer;
}

/// A call that returns twice: the child ends at once, without touching a stack that may be its parent's.
uint64_t CloneAndEnd(uint64_t number, const Words &a) noexcept {
  register uint64_t r10 asm("r10") = a[3];
  register uint64_t r8 asm("r8") = a[4];
  uint64_t answer = number;
  asm volatile("syscall\n test %%rax, %%rax\n jnz 1f\n mov $60, %%eax\n xor %%edi, %%edi\n syscall\n 1:"
               : "+a"(answer)
               : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return answer;
}

Napi::Value Result(Napi::Env env, uint64_t answer) {
  return Napi::BigInt::New(env, static_cast<int64_t>(answer));
}

Napi::Uint8Array Bytes(const Napi::Value &value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw Napi::TypeError::New(value.Env(), "argument must be a Uint8Array");
  return value.As<Napi::Uint8Array>();
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char *name, Napi::Value (*function)(const Napi::CallbackInfo &)) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("enter64", [](const Napi::CallbackInfo &info) -> Napi::Value {
    return Result(info.Env(), Enter64(Big(info[0]), Arguments(info)));
  });
  add("enter32", [](const Napi::CallbackInfo &info) -> Napi::Value {
    // The gate's answer is an int.
    const auto answer = static_cast<int32_t>(Enter32(Big(info[0]), Arguments(info)));
    return Napi::BigInt::New(info.Env(), static_cast<int64_t>(answer));
  });
  add("cloneAndEnd", [](const Napi::CallbackInfo &info) -> Napi::Value {
    return Result(info.Env(), CloneAndEnd(Big(info[0]), Arguments(info)));
  });
  add("addressOf", [](const Napi::CallbackInfo &info) -> Napi::Value {
    return Napi::BigInt::New(info.Env(), reinterpret_cast<uint64_t>(Bytes(info[0]).Data()));
  });
  add("poke", [](const Napi::CallbackInfo &info) -> Napi::Value {
    const Napi::Uint8Array bytes = Bytes(info[1]);
    memcpy(reinterpret_cast<void *>(Big(info[0])), bytes.Data(), bytes.ByteLength());
    return info.Env().Undefined();
  });
  add("peek", [](const Napi::CallbackInfo &info) -> Napi::Value {
    uint32_t word = 0;
    memcpy(&word, reinterpret_cast<const void *>(Big(info[0])), sizeof word);
    return Napi::Number::New(info.Env(), word);
  });
  add("execute", [](const Napi::CallbackInfo &info) -> Napi::Value {
    return Napi::Number::New(info.Env(), reinterpret_cast<int (*)()>(Big(info[0]))());
  });
  add("victimPage", [](const Napi::CallbackInfo &info) -> Napi::Value {
    return Napi::BigInt::New(info.Env(), reinterpret_cast<uint64_t>(sallyportVictimPage));
  });
  add("trap", [](const Napi::CallbackInfo &) -> Napi::Value { __builtin_trap(); });
  return exports;
}

NODE_API_MODULE(sallyport_prove, Init)

} // namespace
