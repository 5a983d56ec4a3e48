#include "bind.h"

#include <cmath>
#include <cstring>

namespace sallyport::bind {

void Throw(Napi::Env env, int error, const char *call, const std::string &detail) {
  const char *name = strerrorname_np(error);
  const std::string code = name != nullptr ? name : "E" + std::to_string(error);
  const std::string text = code + ": " + strerrordesc_np(error) + ", " + call;
  Napi::Error failure = Napi::Error::New(env, detail.empty() ? text : text + " " + detail);
  failure.Set("code", Napi::String::New(env, code));
  failure.Set("errno", Napi::Number::New(env, -error));
  failure.Set("syscall", Napi::String::New(env, call));
  throw failure;
}

int64_t Integer(const Napi::Value &value, const char *name, int64_t low, int64_t high) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= static_cast<double>(low) && number <= static_cast<double>(high)) ||
      std::trunc(number) != number)
    throw Napi::RangeError::New(value.Env(), std::string(name) + " must be a whole number from " +
                                                 std::to_string(low) + " to " + std::to_string(high));
  return static_cast<int64_t>(number);
}

int Int(const Napi::CallbackInfo &info, size_t index, const char *name, int low, int high) {
  return static_cast<int>(Integer(info[index], name, low, high));
}

uint32_t Id(const Napi::Value &value, const char *name) {
  return static_cast<uint32_t>(Integer(value, name, 0, 0xfffffffeLL));
}

bool Bool(const Napi::CallbackInfo &info, size_t index, const char *name) {
  if (!info[index].IsBoolean())
    throw Napi::TypeError::New(info.Env(), std::string(name) + " must be a boolean");
  return info[index].As<Napi::Boolean>();
}

static std::string WithoutNul(const Napi::Value &value, const char *name, std::string text) {
  if (text.find('\0') != std::string::npos)
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must not contain NUL");
  return text;
}

std::string String(const Napi::Value &value, const char *name) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a string");
  return WithoutNul(value, name, value.As<Napi::String>().Utf8Value());
}

std::string Bytes(const Napi::Value &value, const char *name) {
  if (value.IsString()) return String(value, name);
  const Span view = View(value, name);
  return WithoutNul(value, name, std::string(reinterpret_cast<const char *>(view.data), view.length));
}

uint64_t Big(const Napi::Value &value, const char *name) {
  bool lossless = false;
  if (!value.IsBigInt()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a bigint");
  const uint64_t number = value.As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) throw Napi::RangeError::New(value.Env(), std::string(name) + " must fit 64 bits");
  return number;
}

template <typename T>
static std::vector<T> List(const Napi::Value &value, const char *name, int64_t high) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be an array");
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<T> numbers;
  numbers.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i += 1) {
    const Napi::Value item = array[i];
    numbers.push_back(static_cast<T>(Integer(item, name, 0, high)));
  }
  return numbers;
}

std::vector<int> Fds(const Napi::Value &value, const char *name) {
  return List<int>(value, name, INT32_MAX);
}
std::vector<uint32_t> Ids(const Napi::Value &value, const char *name) {
  return List<uint32_t>(value, name, 0xfffffffeLL);
}

Span View(const Napi::Value &value, const char *name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a Uint8Array");
  Napi::Uint8Array array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

Span Slice(const Napi::CallbackInfo &info, size_t index) {
  const Span all = View(info[index], "buffer");
  const int64_t limit = static_cast<int64_t>(all.length);
  const int64_t offset = Integer(info[index + 1], "offset", 0, limit);
  const int64_t length = Integer(info[index + 2], "length", 0, limit - offset);
  return {all.data + offset, static_cast<size_t>(length)};
}

Napi::Array Numbers(Napi::Env env, const std::vector<int> &values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); i += 1) array[i] = Napi::Number::New(env, values[i]);
  return array;
}

} // namespace sallyport::bind
