// Prefaulting as JavaScript sees it: ranges are a BigUint64Array of starts and ends in turn.
#include <cstring>

#include "bind.h"
#include "prefault.h"

namespace sallyport::bind {
namespace {

static_assert(sizeof(PageRange) == 2 * sizeof(uint64_t), "a range is two numbers of the array");

Napi::Value Learn(const Napi::CallbackInfo &info) {
  const auto ranges = PagesOfItsOwn(Int(info, 0, "pid", 1));
  Check(info.Env(), ranges);
  auto array = Napi::BigUint64Array::New(info.Env(), 2 * ranges.value.size());
  if (!ranges.value.empty()) memcpy(array.Data(), ranges.value.data(), ranges.value.size() * sizeof(PageRange));
  return array;
}

void PopulateRanges(const Napi::CallbackInfo &info) {
  if (!info[0].IsTypedArray()) throw Napi::TypeError::New(info.Env(), "ranges must be a BigUint64Array");
  const auto array = info[0].As<Napi::TypedArray>();
  if (array.TypedArrayType() != napi_biguint64_array) {
    throw Napi::TypeError::New(info.Env(), "ranges must be a BigUint64Array");
  }
  auto numbers = array.As<Napi::BigUint64Array>();
  // Same size and alignment: see the assertion above.
  Populate(reinterpret_cast<const PageRange *>(numbers.Data()), numbers.ElementLength() / 2); // NOLINT
}

Napi::Value PackHeapHere(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), static_cast<double>(PackHeap()));
}

} // namespace

void AddPrefault(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "pagesOfItsOwn", Learn);
  Add(env, exports, "populate", PopulateRanges);
  Add(env, exports, "packHeap", PackHeapHere);
}

} // namespace sallyport::bind
