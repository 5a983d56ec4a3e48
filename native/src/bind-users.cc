#include "bind.h"
#include "users.h"

namespace sallyport::bind {
namespace {

Napi::Value UserObject(Napi::Env env, const Result<std::optional<User>> &found) {
  Check(env, found);
  if (!found.value) return env.Null();
  const User &user = *found.value;
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", Napi::String::New(env, user.name));
  object.Set("uid", Napi::Number::New(env, user.uid));
  object.Set("gid", Napi::Number::New(env, user.gid));
  object.Set("home", Napi::String::New(env, user.home));
  object.Set("shell", Napi::String::New(env, user.shell));
  object.Set("gecos", Napi::String::New(env, user.gecos));
  object.Set("password", Napi::String::New(env, user.password));
  return object;
}

Napi::Value ByName(const Napi::CallbackInfo &info) {
  return UserObject(info.Env(), UserByName(String(info[0], "name").c_str()));
}
Napi::Value ById(const Napi::CallbackInfo &info) {
  return UserObject(info.Env(), UserById(Id(info[0], "uid")));
}

Napi::Value Groups(const Napi::CallbackInfo &info) {
  const auto groups = GroupsOf(String(info[0], "name").c_str(), Id(info[1], "gid"));
  Check(info.Env(), groups);
  Napi::Array array = Napi::Array::New(info.Env(), groups.value.size());
  for (uint32_t i = 0; i < groups.value.size(); i += 1)
    array[i] = Napi::Number::New(info.Env(), groups.value[i]);
  return array;
}

Napi::Value GroupName(const Napi::CallbackInfo &info) {
  const auto group = GroupById(Id(info[0], "gid"));
  Check(info.Env(), group);
  if (!group.value) return info.Env().Null();
  return Napi::String::New(info.Env(), group.value->name);
}

Napi::Value GroupId(const Napi::CallbackInfo &info) {
  const auto group = GroupByName(String(info[0], "name").c_str());
  Check(info.Env(), group);
  if (!group.value) return info.Env().Null();
  return Napi::Number::New(info.Env(), group.value->gid);
}

Napi::Value ShadowEntry(const Napi::CallbackInfo &info) {
  const auto found = ShadowOf(String(info[0], "name").c_str());
  Check(info.Env(), found);
  if (!found.value) return info.Env().Null();
  const Shadow &shadow = *found.value;
  Napi::Object object = Napi::Object::New(info.Env());
  const auto number = [&](const char *name, long value) {
    object.Set(name, Napi::Number::New(info.Env(), static_cast<double>(value)));
  };
  object.Set("hash", Napi::String::New(info.Env(), shadow.hash));
  number("lastChange", shadow.lastChange);
  number("maxDays", shadow.maxDays);
  number("inactiveDays", shadow.inactiveDays);
  number("expires", shadow.expires);
  return object;
}

} // namespace

void AddUsers(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "userByName", ByName);
  Add(env, exports, "userById", ById);
  Add(env, exports, "groupsOf", Groups);
  Add(env, exports, "groupName", GroupName);
  Add(env, exports, "groupByName", GroupId);
  Add(env, exports, "shadowOf", ShadowEntry);
}

} // namespace sallyport::bind
