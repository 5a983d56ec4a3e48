#include <netinet/tcp.h>
#include <sys/socket.h>

#include "bind.h"
#include "messages.h"
#include "tcp.h"

namespace sallyport::bind {
namespace {

Napi::Value MakePair(const Napi::CallbackInfo &info) {
  const auto ends = SeqpacketPair();
  Check(info.Env(), ends);
  return Numbers(info.Env(), {ends.value.first, ends.value.second});
}

Napi::Value Send(const Napi::CallbackInfo &info) {
  const Span from = Slice(info, 1);
  const std::vector<int> fds = Fds(info[4], "fds");
  if (fds.size() > kMaxMessageFds)
    throw Napi::RangeError::New(info.Env(), "fds: a message carries at most 8 descriptors");
  FdList list;
  for (const int fd : fds) list.fds[list.count++] = fd;
  const auto sent = SendMessage(Fd(info, 0), from.data, from.length, list);
  Check(info.Env(), sent);
  return Napi::Boolean::New(info.Env(), sent.value);
}

Napi::Value Receive(const Napi::CallbackInfo &info) {
  const Span into = View(info[1], "buffer");
  const auto got = ReceiveMessage(Fd(info, 0), into.data, into.length);
  Check(info.Env(), got);
  if (got.value.wouldBlock) return info.Env().Null();
  Napi::Object message = Napi::Object::New(info.Env());
  Napi::Array fds = Napi::Array::New(info.Env(), got.value.fds.count);
  for (uint32_t i = 0; i < got.value.fds.count; i += 1)
    fds[i] = Napi::Number::New(info.Env(), got.value.fds.fds[i]);
  message.Set("length", Napi::Number::New(info.Env(), static_cast<double>(got.value.length)));
  message.Set("fds", fds);
  message.Set("truncated", Napi::Boolean::New(info.Env(), got.value.truncated));
  return message;
}

Napi::Value Peer(const Napi::CallbackInfo &info) {
  const auto who = PeerCredentials(Fd(info, 0));
  Check(info.Env(), who);
  Napi::Object credentials = Napi::Object::New(info.Env());
  credentials.Set("pid", Napi::Number::New(info.Env(), who.value.pid));
  credentials.Set("uid", Napi::Number::New(info.Env(), who.value.uid));
  credentials.Set("gid", Napi::Number::New(info.Env(), who.value.gid));
  return credentials;
}

Napi::Value Listen(const Napi::CallbackInfo &info) {
  const std::string address = String(info[0], "address");
  const int port = Int(info, 1, "port", 0, 65535);
  const auto made = ListenTcp(address.c_str(), static_cast<uint16_t>(port), Int(info, 2, "backlog", 0));
  if (!made.ok()) Throw(info.Env(), made.error, made.call, address + " port " + std::to_string(port));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("fd", Napi::Number::New(info.Env(), made.value.fd));
  result.Set("port", Napi::Number::New(info.Env(), made.value.port));
  return result;
}

Napi::Object EndsObject(Napi::Env env, const Ends &ends) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("address", Napi::String::New(env, ends.remote.text.data()));
  object.Set("port", Napi::Number::New(env, ends.remote.port));
  object.Set("localAddress", Napi::String::New(env, ends.local.text.data()));
  object.Set("localPort", Napi::Number::New(env, ends.local.port));
  return object;
}

Napi::Value AcceptOne(const Napi::CallbackInfo &info) {
  const auto taken = Accept(Fd(info, 0));
  Check(info.Env(), taken);
  if (taken.value.none) return info.Env().Null();
  Napi::Object accepted = EndsObject(info.Env(), taken.value.ends);
  accepted.Set("fd", Napi::Number::New(info.Env(), taken.value.fd));
  return accepted;
}

Napi::Value BothEnds(const Napi::CallbackInfo &info) {
  const auto ends = SocketAddresses(Fd(info, 0));
  if (ends.error == ENOTSOCK || ends.error == ENOTCONN || ends.error == EAFNOSUPPORT)
    return info.Env().Null();
  Check(info.Env(), ends);
  return EndsObject(info.Env(), ends.value);
}

Napi::Value Datagram(const Napi::CallbackInfo &info) {
  const std::string path = String(info[0], "path");
  const auto fd = ConnectDatagram(path.c_str());
  if (!fd.ok()) Throw(info.Env(), fd.error, fd.call, "'" + path + "'");
  return Napi::Number::New(info.Env(), fd.value);
}

void NoDelay(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetSocketOption(Fd(info, 0), IPPROTO_TCP, TCP_NODELAY, 1));
}
void KeepAlive(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetSocketOption(Fd(info, 0), SOL_SOCKET, SO_KEEPALIVE, 1));
}
void ReceiveBuffer(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetSocketOption(Fd(info, 0), SOL_SOCKET, SO_RCVBUF, Int(info, 1, "bytes", 0)));
}
void SendBuffer(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetSocketOption(Fd(info, 0), SOL_SOCKET, SO_SNDBUF, Int(info, 1, "bytes", 0)));
}
void TypeOfService(const Napi::CallbackInfo &info) {
  Check(info.Env(), SetTypeOfService(Fd(info, 0), Int(info, 1, "value", 0, 255)));
}

} // namespace

void AddSockets(Napi::Env env, Napi::Object &exports) {
  Add(env, exports, "seqpacketPair", MakePair);
  Add(env, exports, "sendMessage", Send);
  Add(env, exports, "receiveMessage", Receive);
  Add(env, exports, "peerCredentials", Peer);
  Add(env, exports, "listenTcp", Listen);
  Add(env, exports, "accept", AcceptOne);
  Add(env, exports, "socketAddresses", BothEnds);
  Add(env, exports, "connectDatagram", Datagram);
  Add(env, exports, "setNoDelay", NoDelay);
  Add(env, exports, "setKeepAlive", KeepAlive);
  Add(env, exports, "setReceiveBuffer", ReceiveBuffer);
  Add(env, exports, "setSendBuffer", SendBuffer);
  Add(env, exports, "setTypeOfService", TypeOfService);
}

} // namespace sallyport::bind
