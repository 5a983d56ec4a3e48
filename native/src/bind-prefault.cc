// Prefaulting as JavaScript sees it: ranges are a BigUint64Array of starts and ends in turn.
#include <cstring>
#include <span>

#include "bind.h"
#include "prefault.h"

namespace sallyport::bind {
namespace {

static_assert(sizeof(PageRange) == 2 * sizeof(uint64_t), "a range is two numbers of the array");

Napi::Value AsArray(Napi::Env env, const std::vector<PageRange> &ranges) {
  auto array = Napi::BigUint64Array::New(env, 2 * ranges.size());
  if (!ranges.empty()) memcpy(array.Data(), ranges.data(), ranges.size() * sizeof(PageRange));
  return array;
}

/// The first argument; valid as long as its array is.
std::span<const PageRange> AsRanges(const Napi::CallbackInfo &info) {
  constexpr const char *kExpected = "ranges must be a BigUint64Array";
  if (!info[0].IsTypedArray()) throw Napi::TypeError::New(info.Env(), kExpected);
  const auto array = info[0].As<Napi::TypedArray>();
  if (array.TypedArrayType() != napi_biguint64_array) throw Napi::TypeError::New(info.Env(), kExpected);
  auto numbers = array.As<Napi::BigUint64Array>();
  // Same size and alignment: see the assertion above.
  return {reinterpret_cast<const PageRange *>(numbers.Data()), numbers.ElementLength() / 2}; // NOLINT
}

Napi::Value Learn(const Napi::CallbackInfo &info) {
  const auto ranges = PagesOfItsOwn(Int(info, 0, "pid", 1));
  Check(info.Env(), ranges);
  return AsArray(info.Env(), ranges.value);
}

void PopulateRanges(const Napi::CallbackInfo &info) {
  const auto ranges = AsRanges(info);
  Populate(ranges.data(), ranges.size());
}

Napi::Value PackHeapHere(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), static_cast<double>(PackHeap()));
}

Napi::Value KeepHeapTogetherHere(const Napi::CallbackInfo &info) {
  std::vector<PageRange> taken;
  // It saves work, no more: what is refused is left as it is.
  static_cast<void>(KeepHeapTogether(taken));
  return AsArray(info.Env(), taken);
}

void LetHeapScatterHere(const Napi::CallbackInfo &info) {
  const auto ranges = AsRanges(info);
  LetHeapScatter({ranges.begin(), ranges.end()});
}

} // namespace

void AddPrefault(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "pagesOfItsOwn", Learn);
  Add(env, exports, "populate", PopulateRanges);
  Add(env, exports, "packHeap", PackHeapHere);
  Add(env, exports, "keepHeapTogether", KeepHeapTogetherHere);
  Add(env, exports, "letHeapScatter", LetHeapScatterHere);
}

} // namespace sallyport::bind
