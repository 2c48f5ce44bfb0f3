#include "proto/sockets.h"

#include <utility>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace fetchline {
namespace {

// libzmq hands a message over with atomics; as it is not built with ThreadSanitizer, that sees the
// sender write the bytes, another thread of this process (inproc://) read them, and nothing in
// between. These two tell it: what happened before a send has happened after a receive. One
// address for all sockets: which message came from which send is libzmq's to know. So a race that
// only other messages keep apart is missed; one between two threads that send nothing is not.
#ifdef __SANITIZE_THREAD__
char hand_over;
void before_send() { __tsan_release(&hand_over); }
void after_receive() { __tsan_acquire(&hand_over); }
#else
void before_send() {}
void after_receive() {}
#endif

// Counts of messages, a backstop only: what may be queued is bounded by windows and byte windows.
constexpr int kHighWater = 1000;
// Bounds what a broken connection takes with it (a dying link discards the kernel's buffer).
constexpr int kKernelBufferBytes = 256 * 1024;
// Long enough for a farewell to leave; nothing else depends on what is queued at the end.
constexpr int kLingerMs = 500;

void set_options(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, kLingerMs);
  socket.set(zmq::sockopt::sndhwm, kHighWater);
  socket.set(zmq::sockopt::rcvhwm, kHighWater);
  socket.set(zmq::sockopt::sndbuf, kKernelBufferBytes);
  socket.set(zmq::sockopt::rcvbuf, kKernelBufferBytes);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(kMaxFrameBytes));
  // A raw TCP client that never speaks would hold a descriptor for the default 30 s.
  socket.set(zmq::sockopt::handshake_ivl, 5000);
  // A peer that vanished without a FIN is noticed in seconds: by the kernel, as libzmq's heartbeats
  // can end the process (proto/decisions/0010).
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, 2);
  socket.set(zmq::sockopt::tcp_keepalive_intvl, 1);
  socket.set(zmq::sockopt::tcp_keepalive_cnt, 3);
  socket.set(zmq::sockopt::tcp_maxrt, 5000);
  // An attempt that hears nothing is repeated by the kernel at intervals that double, up to a
  // minute, and from the address that it began with.
  socket.set(zmq::sockopt::connect_timeout, 3000);
  socket.set(zmq::sockopt::reconnect_ivl, 100);
  socket.set(zmq::sockopt::reconnect_ivl_max, 500);
  socket.set(zmq::sockopt::ipv6, true);
}

void use(zmq::context_t& context, IoThread thread, zmq::socket_t& socket) {
  if (context.get(zmq::ctxopt::io_threads) < 2) return;
  const std::uint64_t mask = thread == IoThread::first ? 1 : 2;
  socket.set(zmq::sockopt::affinity, mask);
}

// Two options that zmq.h hides as not final in 4.3. ZMQ_ZAP_ENFORCE_DOMAIN: without anybody to
// ask, nobody comes in, instead of everybody.
constexpr int kEnforceDomain = 93;
// ZMQ_ZERO_COPY_RECV, on by itself: the smallest message that waits keeps the 18 KB that it was
// read into. Of 256 connections that is most of a collector's memory.
constexpr int kZeroCopyReceive = 10;

void set_server_keys(zmq::socket_t& socket, const KeyPair& keys) {
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, keys.secret_key);
  socket.set(zmq::sockopt::zap_domain, "fetchline");
  const int yes = 1;
  // Where it is not known, prove_refusal() (proto/key_check.h) is what remains.
  (void)zmq_setsockopt(socket.handle(), kEnforceDomain, &yes, sizeof yes);
}

void set_client_keys(zmq::socket_t& socket, const ClientKeys& keys) {
  socket.set(zmq::sockopt::curve_serverkey, keys.server);
  socket.set(zmq::sockopt::curve_publickey, keys.own.public_key);
  socket.set(zmq::sockopt::curve_secretkey, keys.own.secret_key);
}

constexpr const char* kExample = "; an endpoint looks like tcp://127.0.0.1:5555";

EndpointError error_of(std::string_view flag, const std::string& text,
                       const std::string& endpoint) {
  const bool has_scheme = endpoint.find("://") != std::string::npos;
  return EndpointError((flag.empty() ? "" : std::string(flag) + ": ") + text +
                       (has_scheme ? "" : kExample));
}

SendResult send_frames(zmq::socket_t& socket, Frames& frames) {
  before_send();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const bool more = i + 1 < frames.size();
    const auto flags =
        zmq::send_flags::dontwait | (more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    // Once the first frame is taken libzmq takes the rest: the high-water mark counts messages.
    if (!socket.send(frames[i], flags)) return SendResult::full;
  }
  return SendResult::sent;
}

std::string property_of(zmq::message_t& message, const char* name) {
  const char* const value = zmq_msg_gets(message.handle(), name);
  return value == nullptr ? "" : value;
}

Incoming read_rest(zmq::socket_t& socket, PeerId from, zmq::message_t first) {
  Frames frames;
  bool more = first.more();
  frames.push_back(std::move(first));
  bool too_many = false;
  while (more) {
    zmq::message_t frame;
    const auto got = socket.recv(frame, zmq::recv_flags::none);  // the rest of a message is there
    more = got.has_value() && frame.more();
    too_many = too_many || frames.size() >= kMaxFrames;
    if (!too_many) frames.push_back(std::move(frame));
  }
  if (too_many) return {std::move(from), DecodeError::too_many_frames, {}, {}};
  return {std::move(from), decode(std::move(frames)), {}, {}};
}

}  // namespace

zmq::context_t make_context(int io_threads) {
  zmq::context_t context(io_threads);
  context.set(zmq::ctxopt::max_sockets, 16'384);
  (void)zmq_ctx_set(context.handle(), kZeroCopyReceive, 0);  // where it is known
  return context;
}

// libzmq takes a port number modulo 65536.
void check_endpoint(const std::string& endpoint, std::string_view flag) {
  if (!endpoint.starts_with("tcp://")) return;
  const auto colon = endpoint.rfind(':');
  const std::string port = endpoint.substr(colon + 1);
  const bool within_scheme = colon < std::string_view("tcp://").size();
  if (within_scheme || port.empty() || port.ends_with(']')) {  // of [::1] alone
    throw error_of(flag, endpoint + " has no port" + kExample, endpoint);
  }
  const bool digits = port.find_first_not_of("0123456789") == std::string::npos;
  if (digits && (port.size() > 5 || std::stoi(port) > 65'535)) {
    throw error_of(flag, endpoint + ": port " + port + " is out of range", endpoint);
  }
}

zmq::socket_t bind_port(zmq::context_t& context, const std::string& endpoint, std::string_view flag,
                        const KeyPair* keys) {
  check_endpoint(endpoint, flag);
  try {
    zmq::socket_t socket(context, zmq::socket_type::router);
    set_options(socket);
    use(context, IoThread::first, socket);
    // Without it a ROUTER drops silently at the high-water mark and for peers that are gone.
    socket.set(zmq::sockopt::router_mandatory, true);
    if (keys != nullptr) set_server_keys(socket, *keys);
    socket.bind(endpoint);
    return socket;
  } catch (const zmq::error_t& error) {
    throw error_of(flag, "cannot bind " + endpoint + ": " + error.what(), endpoint);
  }
}

zmq::socket_t connect_to(zmq::context_t& context, const std::string& endpoint,
                         std::string_view flag, const ClientKeys* keys, IoThread thread) {
  check_endpoint(endpoint, flag);
  try {
    zmq::socket_t socket(context, zmq::socket_type::dealer);
    set_options(socket);
    // Nothing is queued for a peer that is not there.
    socket.set(zmq::sockopt::immediate, true);
    use(context, thread, socket);
    if (keys != nullptr) set_client_keys(socket, *keys);
    socket.connect(endpoint);
    return socket;
  } catch (const zmq::error_t& error) {
    throw error_of(flag, "cannot connect to " + endpoint + ": " + error.what(), endpoint);
  }
}

zmq::socket_t bind_key_questions(zmq::context_t& context) {
  try {
    zmq::socket_t socket(context, zmq::socket_type::rep);
    socket.set(zmq::sockopt::linger, 0);
    socket.bind("inproc://zeromq.zap.01");
    return socket;
  } catch (const zmq::error_t& error) {
    throw EndpointError(std::string("--key: keys cannot be checked: ") + error.what());
  }
}

zmq::socket_t connect_to_events(zmq::context_t& context, const std::string& endpoint) {
  zmq::socket_t socket(context, zmq::socket_type::pair);
  socket.set(zmq::sockopt::linger, 0);
  // Without a limit: at one, libzmq's own thread would wait until somebody reads.
  socket.set(zmq::sockopt::rcvhwm, 0);
  socket.connect(endpoint);
  return socket;
}

std::string shown_endpoint(const std::string& given, const zmq::socket_t& port) {
  return given.find('*') == std::string::npos ? given : port.get(zmq::sockopt::last_endpoint);
}

std::string shown_address(std::string address) {
  constexpr std::string_view kMapped = "::ffff:";
  if (address.starts_with(kMapped)) address.erase(0, kMapped.size());
  return address;
}

SendResult send_to(zmq::socket_t& port, const PeerId& peer, Frames& frames) {
  try {
    zmq::message_t id(peer.data(), peer.size());
    if (!port.send(id, zmq::send_flags::dontwait | zmq::send_flags::sndmore)) {
      return SendResult::full;
    }
    return send_frames(port, frames);
  } catch (const zmq::error_t& error) {
    if (error.num() == EHOSTUNREACH) return SendResult::unreachable;
    throw;
  }
}

SendResult send(zmq::socket_t& connection, Frames& frames) {
  return send_frames(connection, frames);
}

std::optional<Incoming> receive_from_port(zmq::socket_t& port) {
  zmq::message_t id;
  if (!port.recv(id, zmq::recv_flags::dontwait)) return std::nullopt;
  after_receive();
  PeerId from(id.data<char>(), id.size());
  zmq::message_t first;
  if (!id.more() || !port.recv(first, zmq::recv_flags::none)) {
    return Incoming{std::move(from), DecodeError::no_frame, {}, {}};
  }
  std::string user = property_of(first, "User-Id");
  std::string address = shown_address(property_of(first, "Peer-Address"));
  Incoming incoming = read_rest(port, std::move(from), std::move(first));
  incoming.user = std::move(user);
  incoming.address = std::move(address);
  return incoming;
}

std::optional<Incoming> receive(zmq::socket_t& connection) {
  zmq::message_t first;
  if (!connection.recv(first, zmq::recv_flags::dontwait)) return std::nullopt;
  after_receive();
  return read_rest(connection, {}, std::move(first));
}

}  // namespace fetchline
