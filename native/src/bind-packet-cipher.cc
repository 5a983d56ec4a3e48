// One call a packet, so this file speaks N-API's C face where it is hot: no handles and objects that only wrap.
#include "bind.h"
#include "packet-sealer.h"

namespace sallyport::bind {
namespace {

CipherSuite SuiteOf(const Napi::Value &cipher, const Napi::Value &mac) {
  const std::string cipherName = String(cipher, "cipher"), macName = String(mac, "mac");
  const auto suite = FindCipherSuite(cipherName, macName);
  if (!suite)
    throw Napi::TypeError::New(cipher.Env(), "Unknown cipher and MAC: '" + cipherName + "', '" + macName + "'");
  return *suite;
}

Napi::Value Sizes(const Napi::CallbackInfo &info) {
  const CipherSuite suite = SuiteOf(info[0], info[1]);
  Napi::Object sizes = Napi::Object::New(info.Env());
  const auto number = [&](const char *name, size_t value) {
    sizes.Set(name, Napi::Number::New(info.Env(), static_cast<double>(value)));
  };
  number("keyBytes", suite.keyBytes);
  number("ivBytes", suite.ivBytes);
  number("macKeyBytes", suite.macKeyBytes);
  number("blockBytes", suite.blockBytes);
  number("tagBytes", suite.tagBytes);
  sizes.Set("aead", Napi::Boolean::New(info.Env(), suite.Aead()));
  return sizes;
}

const uint8_t *Key(const Napi::Object &spec, const char *name, size_t bytes) {
  const Span key = View(spec.Get(name), name);
  if (key.length != bytes)
    throw Napi::RangeError::New(spec.Env(), std::string(name) + " must have " + std::to_string(bytes) + " bytes");
  return key.data;
}

struct Made {
  CipherSuite suite;
  std::unique_ptr<PacketCrypt> crypt;
};
Made MakeCrypt(const Napi::Value &value, bool sealing) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "spec must be an object");
  const Napi::Object spec = value.As<Napi::Object>();
  const CipherSuite suite = SuiteOf(spec.Get("cipher"), spec.Get("mac"));
  const KeyMaterial keys{Key(spec, "key", suite.keyBytes), Key(spec, "iv", suite.ivBytes),
                         Key(spec, "macKey", suite.macKeyBytes)};
  auto crypt = MakePacketCrypt(suite, keys, sealing);
  if (crypt == nullptr) throw Napi::Error::New(value.Env(), "Cannot set up cipher: OpenSSL refused it");
  return {suite, std::move(crypt)};
}

/// The arguments of a hot call: numbers and byte arrays by position, `good` false once one was of the wrong type.
template <size_t Count> class Arguments {
public:
  Arguments(napi_env env, napi_callback_info info) noexcept : env_(env) {
    size_t count = Count;
    good_ = napi_get_cb_info(env, info, &count, values_, &self_, nullptr) == napi_ok && count == Count;
  }
  bool Good() const noexcept { return good_; }
  /// The C++ object behind `this`, whose type V8 has checked by the method's signature.
  template <typename T> T *Self() noexcept {
    void *self = nullptr;
    good_ = good_ && napi_unwrap(env_, self_, &self) == napi_ok;
    return static_cast<T *>(self);
  }
  uint32_t Number(size_t index) noexcept {
    // Doubles, because napi_get_value_uint32 takes -1 and 2^32 for something else.
    double number = -1;
    good_ = good_ && napi_get_value_double(env_, values_[index], &number) == napi_ok && number >= 0 &&
            number <= 0xffffffff;
    return good_ ? static_cast<uint32_t>(number) : 0;
  }
  std::span<uint8_t> Bytes(size_t index, napi_typedarray_type wanted = napi_uint8_array) noexcept {
    napi_typedarray_type type{};
    size_t length = 0;
    void *data = nullptr;
    good_ = good_ &&
            napi_get_typedarray_info(env_, values_[index], &type, &length, &data, nullptr, nullptr) == napi_ok &&
            type == wanted;
    return good_ ? std::span(static_cast<uint8_t *>(data), length) : std::span<uint8_t>();
  }
  bool IsNull(size_t index) noexcept {
    napi_valuetype type{};
    good_ = good_ && napi_typeof(env_, values_[index], &type) == napi_ok;
    return type == napi_null;
  }

private:
  napi_env env_;
  napi_value self_ = nullptr;
  napi_value values_[Count] = {};
  bool good_;
};

napi_value Answer(napi_env env, int32_t number) noexcept {
  napi_value value = nullptr;
  napi_create_int32(env, number, &value);
  return value;
}
napi_value Refuse(napi_env env, bool range, const char *text) noexcept {
  range ? napi_throw_range_error(env, nullptr, text) : napi_throw_type_error(env, nullptr, text);
  return nullptr;
}

napi_value Seal(napi_env env, napi_callback_info info) noexcept {
  Arguments<7> arguments(env, info);
  auto *sealer = arguments.Self<PacketSealer>();
  const auto out = arguments.Bytes(0);
  const size_t outOffset = arguments.Number(1);
  const auto header = arguments.Bytes(2);
  const bool hasData = !arguments.IsNull(3);
  const auto data = hasData ? arguments.Bytes(3) : std::span<uint8_t>();
  const size_t dataOffset = arguments.Number(4), dataLength = arguments.Number(5);
  const uint32_t sequence = arguments.Number(6);
  if (!arguments.Good()) return Refuse(env, false, "Cannot seal packet: wrong arguments");
  if (outOffset > out.size() || dataOffset > data.size() || dataLength > data.size() - dataOffset)
    return Refuse(env, true, "Cannot seal packet: offset or length out of bounds");
  size_t size = 0;
  switch (sealer->Seal(out.subspan(outOffset), header, data.subspan(dataOffset, dataLength), sequence, size)) {
  case PacketSealer::Outcome::Sealed: return Answer(env, static_cast<int32_t>(size));
  case PacketSealer::Outcome::NoRoom: return Refuse(env, true, "Cannot seal packet: no room");
  case PacketSealer::Outcome::Failed: break;
  }
  napi_throw_error(env, nullptr, "Cannot seal packet: OpenSSL failed");
  return nullptr;
}

napi_value Open(napi_env env, napi_callback_info info) noexcept {
  Arguments<5> arguments(env, info);
  auto *opener = arguments.Self<PacketOpener>();
  const auto buffer = arguments.Bytes(0);
  const size_t start = arguments.Number(1), end = arguments.Number(2);
  const uint32_t sequence = arguments.Number(3);
  const auto at = arguments.Bytes(4, napi_uint32_array);
  if (!arguments.Good()) return Refuse(env, false, "Cannot open packet: wrong arguments");
  if (start > end || end > buffer.size() || at.size() < 2)
    return Refuse(env, true, "Cannot open packet: offset or length out of bounds");
  const auto opened = opener->Open(buffer.subspan(start, end - start), sequence);
  auto *place = reinterpret_cast<uint32_t *>(at.data()); // a Uint32Array is aligned
  place[0] = opened.result > 0 ? static_cast<uint32_t>(start + opened.payloadAt) : 0;
  place[1] = static_cast<uint32_t>(opened.payloadBytes);
  return Answer(env, opened.result);
}

/// A class without a constructor of its own: `wrap` gives each instance its C++ object.
napi_value Construct(napi_env, napi_callback_info) noexcept { return nullptr; }

Napi::FunctionReference Define(Napi::Env env, const char *name, const char *method, napi_callback call) {
  napi_property_descriptor properties[] = {
      {method, nullptr, call, nullptr, nullptr, nullptr, napi_default_method, nullptr}};
  napi_value constructor = nullptr;
  if (napi_define_class(env, name, NAPI_AUTO_LENGTH, Construct, nullptr, 1, properties, &constructor) != napi_ok)
    throw Napi::Error::New(env);
  return Napi::Persistent(Napi::Function(env, constructor));
}

/// A new instance that owns `native`.
template <typename T>
Napi::Object Wrap(const Napi::FunctionReference &constructor, std::unique_ptr<T> native) {
  Napi::Object object = constructor.New({});
  const auto finalize = [](napi_env, void *data, void *) { std::unique_ptr<T>(static_cast<T *>(data)).reset(); };
  if (napi_wrap(object.Env(), object, native.get(), finalize, nullptr, nullptr) != napi_ok)
    throw Napi::Error::New(object.Env());
  [[maybe_unused]] const T *owned = native.release();
  return object;
}

} // namespace

void AddPacketCipher(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "cipherSizes", Sizes);
  const auto sealers = std::make_shared<Napi::FunctionReference>(Define(env, "PacketSealer", "seal", Seal));
  Add(env, exports, "createSealer", [sealers](const Napi::CallbackInfo &info) -> Napi::Value {
    Made made = MakeCrypt(info[0], true);
    auto sealer = std::make_unique<PacketSealer>(made.suite, std::move(made.crypt));
    const size_t overhead = sealer->OverheadBytes();
    Napi::Object object = Wrap(*sealers, std::move(sealer));
    object.Set("overheadBytes", Napi::Number::New(info.Env(), static_cast<double>(overhead)));
    return object;
  });
  const auto openers = std::make_shared<Napi::FunctionReference>(Define(env, "PacketOpener", "open", Open));
  Add(env, exports, "createOpener", [openers](const Napi::CallbackInfo &info) -> Napi::Value {
    Made made = MakeCrypt(info[0], false);
    const auto max = static_cast<uint32_t>(Int(info, 1, "maxPacketBytes", 8, 1 << 24));
    return Wrap(*openers, std::make_unique<PacketOpener>(made.suite, std::move(made.crypt), max));
  });
}

} // namespace sallyport::bind
